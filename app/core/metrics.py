"""What a shopkeeper counts. The HTTP metrics beside these come from prometheus-fastapi-instrumentator."""

from prometheus_client import Counter

ORDERS = Counter("shop_orders_total", "Orders by what became of them", ["outcome"])
REVENUE = Counter("shop_revenue_minor_units_total", "Captured payments in minor units", ["currency"])
PAYMENT_FAILURES = Counter("shop_payment_failures_total", "Declined payments by the provider's code", ["code"])
SIGN_INS = Counter("shop_sign_ins_total", "Attempts to sign in", ["outcome"])
