"""Everybody at once, over two API processes: nothing is sold, ordered or charged twice."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import cycle
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.core.clock import now
from app.core.security import digest, new_secret
from app.models.carts import Cart, CartLine
from app.models.orders import Order, OrderEvent, OrderLine
from app.models.payments import Payment
from app.models.products import Variant
from app.shop import Shop
from tests.support.accounts import all_of
from tests.support.shopping import add_product, check_out, guest_cart, pay, place, stock_of

Apis = tuple[httpx.AsyncClient, httpx.AsyncClient]

SHOPPERS = 200
UNITS = 10
REPEATS = 50


async def orders_of(shop: Shop, variant: Variant) -> list[Order]:
    bought = select(OrderLine.order_id).where(OrderLine.variant_id == variant.id)
    return await all_of(shop.database, select(Order).where(Order.id.in_(bought)))


async def carts_with(shop: Shop, variant: Variant, count: int) -> list[dict[str, str]]:
    """Guests' carts with one unit each, written past the API; the headers that open them."""
    tokens = [new_secret() for _ in range(count)]
    line = {"variant_id": variant.id, "quantity": 1}
    async with shop.database.transaction() as tx:
        tx.session.add_all(
            Cart(
                token_hash=digest(token), currency="EUR", expires_at=now() + timedelta(days=1), lines=[CartLine(**line)]
            )
            for token in tokens
        )
    return [{"X-Cart-Token": token} for token in tokens]


async def times_noted(shop: Shop, order: dict[str, Any], type_: str) -> int:
    statement = select(func.count()).select_from(OrderEvent)
    (noted,) = await all_of(
        shop.database, statement.where(OrderEvent.order_id == order["id"], OrderEvent.type == type_)
    )
    return int(noted)


def said(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


async def test_the_last_units_are_sold_once(apis: Apis, shop: Shop) -> None:
    mug = await add_product(shop.database, stock=UNITS)
    carts = await carts_with(shop, mug, SHOPPERS)

    answers = await asyncio.gather(*(check_out(api, cart) for api, cart in zip(cycle(apis), carts)))

    assert Counter(said(answer) for answer in answers) == {
        (201, None): UNITS,
        (409, "insufficient_stock"): SHOPPERS - UNITS,
    }
    assert len(await orders_of(shop, mug)) == UNITS
    assert await stock_of(shop.database, mug) == (UNITS, UNITS)
    assert await shop.inventory.audit() == []


async def test_one_key_is_one_order_however_often_it_is_sent(apis: Apis, shop: Shop) -> None:
    mug = await add_product(shop.database, stock=UNITS)
    cart = await guest_cart(apis[0], (mug, 2))

    answers = await asyncio.gather(
        *(check_out(api, cart, "double-click") for api, _ in zip(cycle(apis), range(REPEATS)))
    )

    (order,) = await orders_of(shop, mug)
    assert len(await all_of(shop.database, select(Payment).where(Payment.order_id == order.id))) == 1
    assert await stock_of(shop.database, mug) == (UNITS, 2)
    assert_one_answer(answers)
    afterwards = await check_out(apis[1], cart, "double-click")
    assert_one_answer([*answers, afterwards])
    assert afterwards.headers["Idempotent-Replayed"] == "true"


async def test_one_key_is_one_payment_however_often_it_is_sent(apis: Apis, shop: Shop) -> None:
    order, headers = await place(apis[0], (await add_product(shop.database), 1))

    answers = await asyncio.gather(
        *(pay(api, order, headers, key="double-click") for api, _ in zip(cycle(apis), range(REPEATS)))
    )

    assert_one_answer([*answers, await pay(apis[1], order, headers, key="double-click")])
    await assert_charged_once(shop, order)


@pytest.mark.parametrize("_round", range(5))
async def test_two_keys_at_once_are_one_payment(apis: Apis, shop: Shop, _round: int) -> None:
    order, headers = await place(apis[0], (await add_product(shop.database), 1))

    answers = await asyncio.gather(*(pay(api, order, headers) for api in apis))

    assert sorted(said(answer) for answer in answers) == [(201, None), (409, "payment_not_possible")]
    await assert_charged_once(shop, order)


def assert_one_answer(answers: list[httpx.Response]) -> None:
    """Some got the answer, all the same to the byte; the others were told to wait."""
    bodies = {answer.content for answer in answers if answer.status_code == 201}
    others = {said(answer) for answer in answers if answer.status_code != 201}
    assert len(bodies) == 1
    assert others <= {(409, "request_in_progress")}


async def assert_charged_once(shop: Shop, order: dict[str, Any]) -> None:
    (payment,) = await all_of(shop.database, select(Payment).where(Payment.order_id == order["id"]))
    assert payment.amount_captured == order["totals"]["total"]["amount"]
    assert await times_noted(shop, order, "payment.captured") == 1
    assert await times_noted(shop, order, "order.confirmed") == 1
    charged = await shop.provider.find(payment.provider_ref)
    assert (charged.state, charged.amount_received) == ("succeeded", payment.amount)
