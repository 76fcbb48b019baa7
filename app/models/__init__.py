"""The tables. Importing this package registers every one of them on `Base.metadata`."""

from app.models import (
    addresses,
    api_keys,
    carts,
    categories,
    credentials,
    inventory,
    jobs,
    listings,
    media,
    orders,
    payments,
    platform,
    products,
    reviews,
    shipping,
    users,
)
from app.models.base import Base

__all__ = [
    "Base",
    "addresses",
    "api_keys",
    "carts",
    "categories",
    "credentials",
    "inventory",
    "jobs",
    "listings",
    "media",
    "orders",
    "payments",
    "platform",
    "products",
    "reviews",
    "shipping",
    "users",
]
