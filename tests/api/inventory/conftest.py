"""Somebody of the warehouse."""

import pytest

from app.models.users import Role
from app.shop import Shop
from tests.support.shopping import signed_in


@pytest.fixture
async def staff(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.WAREHOUSE)
