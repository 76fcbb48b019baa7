"""A guest's cart goes along at sign-in, and never stands in its way."""

from typing import NoReturn
from uuid import UUID

import httpx
import pytest

from app.core.clock import now
from app.database import Database
from app.models.inventory import StockLevel
from app.models.products import Product, ProductStatus, Variant
from app.models.users import User
from app.schemas.carts import CartLineCreate
from app.services.auth import AuthService, SignIn
from app.services.carts import CartService
from app.services.devices import Device
from app.services.guess_limits import GuessLimits
from app.services.principals import Shopper
from app.settings import Settings
from app.shop import Shop
from tests.support.accounts import ADA, sign_in


@pytest.fixture
async def mug(database: Database) -> Variant:
    """Something to buy, nine of it in stock."""
    product = Product(slug="mug", name="Mug", status=ProductStatus.ACTIVE, published_at=now())
    variant = Variant(product=product, sku="MUG", option_key="{}", price_amount=999, currency="EUR")
    variant.stock = StockLevel(on_hand=9)
    async with database.transaction() as tx:
        tx.session.add(variant)
    return variant


@pytest.fixture
async def guest_token(shop: Shop, mug: Variant) -> str:
    """The secret of a guest's cart with two mugs."""
    opened = await shop.carts.add_line(Shopper(), CartLineCreate(variant_id=mug.id, quantity=2))
    assert opened.token
    return opened.token


async def quantities(shop: Shop, user: User) -> dict[UUID, int]:
    cart = await shop.carts.get(Shopper(user_id=user.id))
    return {line.variant_id: line.quantity for line in cart.lines}


async def test_the_guests_cart_is_the_customers_after_the_sign_in(
    client: httpx.AsyncClient, shop: Shop, ada: User, mug: Variant, guest_token: str
) -> None:
    client.headers["X-Cart-Token"] = guest_token

    assert (await sign_in(client)).status_code == 200
    assert await quantities(shop, ada) == {mug.id: 2}
    assert (await sign_in(client)).status_code == 200
    assert await quantities(shop, ada) == {mug.id: 2}


async def test_a_wrong_password_leaves_the_guests_cart_alone(
    client: httpx.AsyncClient, shop: Shop, ada: User, mug: Variant, guest_token: str
) -> None:
    client.headers["X-Cart-Token"] = guest_token

    assert (await sign_in(client, "wrong password")).status_code == 401
    guests = await shop.carts.get(Shopper(cart_token=guest_token))
    assert [(line.variant_id, line.quantity) for line in guests.lines] == [(mug.id, 2)]


@pytest.mark.parametrize("token", ["unknown", "A" * 43, "x" * 5000, "é"])
async def test_a_token_of_no_cart_does_not_matter(client: httpx.AsyncClient, ada: User, token: str) -> None:
    assert (await sign_in(client, headers={b"X-Cart-Token": token.encode()})).status_code == 200


class BrokenCarts(CartService):
    async def merge(self, user_id: UUID, cart_token: str) -> NoReturn:
        raise RuntimeError(f"the cart of {user_id} is broken, and {len(cart_token)} characters do not mend it")


async def test_a_merge_that_fails_does_not_fail_the_sign_in(
    shop: Shop,
    database: Database,
    settings: Settings,
    ada: User,
    mug: Variant,
    guest_token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = GuessLimits(database, settings)
    auth = AuthService(database, shop.passwords, shop.tokens, limits, BrokenCarts(database, settings), settings)

    signed_in = await auth.sign_in(SignIn(ADA["email"], ADA["password"]), Device(), guest_token)

    assert (await shop.identification.caller(signed_in.tokens.access_token)).user_id == ada.id
    assert [line.quantity for line in (await shop.carts.get(Shopper(cart_token=guest_token))).lines] == [2]
    assert "could not be merged" in caplog.text
    assert guest_token not in caplog.text
