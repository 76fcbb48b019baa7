"""People who keep addresses."""

import pytest

from app.shop import Shop
from tests.support.shopping import signed_in


@pytest.fixture
async def ada(shop: Shop) -> dict[str, str]:
    """Ada's Authorization header."""
    return await signed_in(shop)


@pytest.fixture
async def bob(shop: Shop) -> dict[str, str]:
    """Bob's, who has nothing to do with Ada's things."""
    return await signed_in(shop)
