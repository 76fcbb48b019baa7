"""Staff and customers at the same stock at the same time, on real connections."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.core.ids import uuid7
from app.errors import InsufficientStock, RequestInProgress, StockChanged
from app.models.inventory import StockLevel
from app.models.products import Variant
from app.models.scopes import SCOPES_OF
from app.models.users import Role, User
from app.schemas.carts import Address, CartLineCreate
from app.schemas.inventory import AdjustmentCreate, AdjustmentItem
from app.schemas.orders import OrderCreate
from app.services.idempotency import Answer
from app.services.principals import Principal, Shopper
from app.shop import Shop
from tests.support.processes import eventually
from tests.support.shopping import ADDRESS, add_delivery, add_product, count_orders, stock_of
from tests.support.warehouse import stock_events

BODY = OrderCreate(email="ada@example.com", shipping_address=Address.model_validate(ADDRESS))


@pytest.fixture
async def staff(fresh_shop: Shop) -> Principal:
    user = User(email="walter@example.com", password_hash="none", full_name="Walter", role=Role.WAREHOUSE)
    async with fresh_shop.database.transaction() as tx:
        await tx.users.add(user)
    return Principal(user.id, uuid7(), Role.WAREHOUSE, SCOPES_OF[Role.WAREHOUSE])


def one(variant: Variant, **values: int) -> AdjustmentCreate:
    return AdjustmentCreate(items=[AdjustmentItem(variant_id=variant.id, **values)], reason="counted")


async def test_of_two_who_counted_the_same_one_is_too_late(fresh_shop: Shop, staff: Principal) -> None:
    mug = await add_product(fresh_shop.database, stock=5)

    for stock in range(5, 15):
        outcomes = await asyncio.gather(
            *(
                fresh_shop.inventory.adjust(staff, one(mug, delta=delta, expected_on_hand=stock), str(uuid4()))
                for delta in (1, 1)
            ),
            return_exceptions=True,
        )
        assert Counter(type(outcome) for outcome in outcomes) == {Answer: 1, StockChanged: 1}

    assert await stock_of(fresh_shop.database, mug) == (15, 0)
    assert await fresh_shop.inventory.audit() == []


async def test_one_key_sent_many_times_at_once_moves_once(fresh_shop: Shop, staff: Principal) -> None:
    mug = await add_product(fresh_shop.database, stock=5)

    outcomes = await asyncio.gather(
        *(fresh_shop.inventory.adjust(staff, one(mug, delta=3), "delivery") for _ in range(8)), return_exceptions=True
    )

    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    assert all(isinstance(outcome, Answer | RequestInProgress) for outcome in outcomes)
    assert [answer.replayed for answer in answers].count(False) == 1
    assert len({str(answer.body) for answer in answers}) == 1
    assert await stock_of(fresh_shop.database, mug) == (8, 0)
    assert await fresh_shop.inventory.audit() == []


async def test_a_claim_that_waited_sees_what_was_brought_meanwhile(fresh_shop: Shop) -> None:
    mug = await add_product(fresh_shop.database, stock=0)

    async def claim() -> dict[UUID, int]:
        async with fresh_shop.database.short_transaction() as tx:
            return await tx.stock.claim({mug.id: 2}, "an order")

    async def somebody_waits() -> bool:
        async with fresh_shop.database.snapshot() as tx:
            waiting = await tx.session.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            return bool(waiting.scalar_one())

    async with fresh_shop.database.transaction() as tx:
        await tx.levels.lock([mug.id])
        await tx.levels.move({mug.id: 2})
        claiming = asyncio.create_task(claim())
        await eventually(somebody_waits)

    assert await claiming == {}
    assert await stock_of(fresh_shop.database, mug) == (2, 2)
    assert await claim() == {mug.id: 0}


async def test_adjustments_between_fifty_checkouts_never_oversell(fresh_shop: Shop, staff: Principal) -> None:
    await add_delivery(fresh_shop.database)
    mug, cup = await add_product(fresh_shop.database, stock=20), await add_product(fresh_shop.database, stock=20)
    async with fresh_shop.database.transaction() as tx:
        for variant in (mug, cup):
            assert await tx.levels.tune(variant.id, {"reorder_point": 5})
    shoppers = []
    for number in range(50):
        lines = (mug, cup) if number % 2 else (cup, mug)
        shopper = Shopper()
        for variant in lines:
            opened = await fresh_shop.carts.add_line(shopper, CartLineCreate(variant_id=variant.id, quantity=1))
            shopper = Shopper(cart_token=opened.token or shopper.cart_token)
        shoppers.append(shopper)

    def correction(number: int) -> AdjustmentCreate:
        """One more of each, then one fewer, in turns."""
        items = [AdjustmentItem(variant_id=variant.id, delta=-1 if number % 2 else 1) for variant in (cup, mug)]
        return AdjustmentCreate(items=items, reason="correction")

    at_once = asyncio.Semaphore(5)  # they queue for two rows: whoever had to wait for seconds would be told 503

    async def one_of_a_few(work: Awaitable[Answer]) -> Answer:
        async with at_once:
            return await work

    checkouts = [fresh_shop.orders.place(shopper, BODY, str(uuid4())) for shopper in shoppers]
    corrections = [fresh_shop.inventory.adjust(staff, correction(number), str(uuid4())) for number in range(50)]
    in_turns = [work for pair in zip(checkouts, corrections, strict=True) for work in pair]
    outcomes = await asyncio.gather(*map(one_of_a_few, in_turns), return_exceptions=True)

    bought, adjusted = Counter(map(type, outcomes[::2])), Counter(map(type, outcomes[1::2]))
    assert bought.keys() == {Answer, InsufficientStock}
    assert adjusted.keys() <= {Answer, InsufficientStock}
    assert await fresh_shop.inventory.audit() == []
    for variant in (mug, cup):
        on_hand, reserved = await stock_of(fresh_shop.database, variant)
        assert reserved == bought[Answer] == await count_orders(fresh_shop.database) <= on_hand
        await must_have_told_each_crossing_once(fresh_shop, variant)


async def must_have_told_each_crossing_once(shop: Shop, variant: Variant) -> None:
    """`out` and `back` take turns, and the last of them says what is so now."""
    turns = [type_ for type_, _ in await stock_events(shop.database, variant) if type_ != "stock.low"]
    assert turns == [("stock.out", "stock.back")[index % 2] for index in range(len(turns))]
    async with shop.database.snapshot() as tx:
        level = await tx.session.get(StockLevel, variant.id)
    assert level is not None
    assert (len(turns) % 2 == 1) is (level.available == 0)
