"""A shop with ways to ship, for everything that ends in an order."""

import pytest

from app.database import Database
from app.models.shipping import ShippingMethod
from tests.support.shopping import add_delivery


@pytest.fixture(autouse=True)
async def delivery(database: Database) -> ShippingMethod:
    return await add_delivery(database)
