"""The Celery worker, its schedule and the outbox relay."""
