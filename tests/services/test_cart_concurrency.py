"""One cart, changed by many at once: nothing is lost, nothing is there twice."""

import asyncio

import pytest

from app.core.security import digest
from app.errors import InsufficientStock
from app.models.products import Variant
from app.repositories.carts import Owner
from app.schemas.carts import CartLineCreate, CartRead
from app.services.carts import OpenedCart
from app.services.principals import Shopper
from app.shop import Shop
from tests.support.shopping import add_product, signed_in

AT_ONCE = 10


@pytest.fixture
async def guest(fresh_shop: Shop) -> Shopper:
    return Shopper(cart_token=(await fresh_shop.carts.open(Shopper())).token)


@pytest.fixture
async def customer(fresh_shop: Shop) -> Shopper:
    """Somebody without a cart."""
    bearer = await signed_in(fresh_shop)
    return Shopper(user_id=fresh_shop.tokens.read(bearer["Authorization"].removeprefix("Bearer ")).user_id)


async def add(shop: Shop, shopper: Shopper, variant: Variant, quantity: int = 1) -> OpenedCart:
    return await shop.carts.add_line(shopper, CartLineCreate(variant_id=variant.id, quantity=quantity))


def held(cart: CartRead) -> dict[str, int]:
    return {line.sku: line.quantity for line in cart.lines}


async def test_the_first_adds_of_a_customer_open_one_cart(fresh_shop: Shop, customer: Shopper) -> None:
    mug = await add_product(fresh_shop.database, stock=100)

    opened = await asyncio.gather(*(add(fresh_shop, customer, mug, 2) for _ in range(AT_ONCE)))

    assert len({one.cart.id for one in opened}) == 1
    assert sorted(held(one.cart)[mug.sku] for one in opened) == [*range(2, 2 * AT_ONCE + 1, 2)]
    assert sorted(one.cart.version for one in opened) == [*range(2, AT_ONCE + 2)]
    assert held(await fresh_shop.carts.get(customer)) == {mug.sku: 2 * AT_ONCE}


async def test_every_guest_without_a_cart_gets_one(fresh_shop: Shop) -> None:
    mug = await add_product(fresh_shop.database, stock=100)

    opened = await asyncio.gather(*(add(fresh_shop, Shopper(), mug) for _ in range(AT_ONCE)))

    assert len({one.cart.id for one in opened}) == len({one.token for one in opened}) == AT_ONCE
    assert all(held(one.cart) == {mug.sku: 1} for one in opened)


async def test_each_answer_shows_the_cart_of_its_version(fresh_shop: Shop, guest: Shopper) -> None:
    variants = [await add_product(fresh_shop.database) for _ in range(AT_ONCE)]

    opened = await asyncio.gather(*(add(fresh_shop, guest, variant) for variant in variants))

    in_order = sorted((one.cart for one in opened), key=lambda cart: cart.version)
    assert [len(cart.lines) for cart in in_order] == [*range(1, AT_ONCE + 1)]


async def test_no_more_than_there_are(fresh_shop: Shop, guest: Shopper) -> None:
    mug = await add_product(fresh_shop.database, stock=5)

    outcomes = await asyncio.gather(*(add(fresh_shop, guest, mug, 2) for _ in range(AT_ONCE)), return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientStock)]
    assert len(refused) == AT_ONCE - 2
    assert all(
        refusal.extra["lines"] == [{"variant_id": str(mug.id), "requested": 6, "available": 5}] for refusal in refused
    )
    cart = await fresh_shop.carts.get(guest)
    assert (held(cart), cart.version) == ({mug.sku: 4}, 3)


async def test_a_cart_is_poured_into_another_once(fresh_shop: Shop, guest: Shopper, customer: Shopper) -> None:
    mug = await add_product(fresh_shop.database, stock=100)
    await add(fresh_shop, guest, mug, 3)
    assert customer.user_id
    assert guest.cart_token

    await asyncio.gather(*(fresh_shop.carts.merge(customer.user_id, guest.cart_token) for _ in range(AT_ONCE)))

    assert held(await fresh_shop.carts.get(customer)) == {mug.sku: 3}
    async with fresh_shop.database.snapshot() as tx:
        assert await tx.carts.active_of(Owner(token_hash=digest(guest.cart_token)), "DE") is None
