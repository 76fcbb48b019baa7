"""The use cases. One public method is one transaction; no service knows FastAPI or Celery."""
