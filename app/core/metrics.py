"""Prometheus: the HTTP metrics of prometheus-fastapi-instrumentator, and what a shopkeeper counts."""

from fastapi import FastAPI
from prometheus_client import Counter
from prometheus_fastapi_instrumentator import Instrumentator

ORDERS = Counter("shop_orders_total", "Orders by what became of them", ["outcome"])
REVENUE = Counter("shop_revenue_minor_units_total", "Captured payments in minor units", ["currency"])
PAYMENT_FAILURES = Counter("shop_payment_failures_total", "Declined payments by the provider's code", ["code"])
SIGN_INS = Counter("shop_sign_ins_total", "Attempts to sign in", ["outcome"])


def expose_metrics(app: FastAPI) -> None:
    """Measure every request by its route template (never its path) and serve `/metrics`."""
    instrumentator = Instrumentator(excluded_handlers=["/metrics", "/health/.*", "/static/.*"])
    instrumentator.instrument(app).expose(app, include_in_schema=False)
