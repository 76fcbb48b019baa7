"""Two checkouts of one cart at the same time."""

import asyncio

import pytest

from app.errors import CartEmpty, CheckoutInProgress
from app.repositories.carts import Owner
from app.schemas.carts import Address, CartLineCreate
from app.schemas.orders import OrderCreate
from app.services.principals import Shopper
from app.shop import Shop
from tests.support.shopping import ADDRESS, add_delivery, add_product, count_orders

BODY = OrderCreate(email="ada@example.com", shipping_address=Address.model_validate(ADDRESS))


async def filled_cart(shop: Shop, stock: int = 5) -> Shopper:
    await add_delivery(shop.database)
    mug = await add_product(shop.database, stock=stock)
    opened = await shop.carts.add_line(Shopper(), CartLineCreate(variant_id=mug.id, quantity=1))
    return Shopper(cart_token=opened.token)


async def test_one_cart_becomes_one_order_whatever_the_keys(fresh_shop: Shop) -> None:
    shopper = await filled_cart(fresh_shop)

    outcomes = await asyncio.gather(
        *(fresh_shop.orders.place(shopper, BODY, f"key-{number}") for number in range(10)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes].count(CartEmpty) == 9
    assert await count_orders(fresh_shop.database) == 1
    assert await fresh_shop.inventory.audit() == []


async def test_a_cart_that_is_held_for_too_long_is_in_progress(fresh_shop: Shop) -> None:
    shopper = await filled_cart(fresh_shop)

    async with fresh_shop.database.transaction() as tx:
        await tx.carts.lock_active_of(Owner(token_hash=shopper.cart_hash))
        with pytest.raises(CheckoutInProgress):
            await fresh_shop.orders.place(shopper, BODY, "key")

    assert (await fresh_shop.orders.place(shopper, BODY, "key")).status == 201
