"""Staff change what there is: all items or none, once for each key, and never below what orders hold."""

from typing import Any, get_args
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models.inventory import MovementReason, StockMovement
from app.models.platform import OutboxEvent
from app.models.users import User
from app.schemas.inventory import MOST_ITEMS, AdjustmentReason
from app.shop import Shop
from tests.support.accounts import all_of, code
from tests.support.problems import problem_of
from tests.support.rows import rows
from tests.support.shopping import API, add_delivery, add_product, keyed, place, stock_of
from tests.support.warehouse import Headers, adjust, item, level_of, listed, tune

NOWHERE = UUID(int=0)


async def test_each_item_moves_its_own_way(
    client: httpx.AsyncClient, database: Database, shop: Shop, staff: Headers
) -> None:
    mug, cup, pot = [await add_product(database, stock=stock) for stock in (5, 6, 7)]

    response = await adjust(
        client,
        staff,
        item(pot, set_to=7),
        item(cup, delta=-2),
        item(mug, set_to=11),
        reason="counted",
        reference=" Stock-take of autumn ",
    )

    assert response.status_code == 201
    made = response.json()
    assert (made["reason"], made["reference"]) == ("counted", "Stock-take of autumn")
    assert [(level["sku"], level["delta"], level["on_hand"]) for level in made["items"]] == [
        (pot.sku, 0, 7),
        (cup.sku, -2, 4),
        (mug.sku, 6, 11),
    ]
    for level, variant in zip(made["items"], (pot, cup, mug), strict=True):
        assert level == await level_of(client, staff, variant) | {"delta": level["delta"]}

    (person,) = await all_of(database, select(User.id))
    movements = (await client.get(response.headers["Location"], headers=staff)).json()["data"]
    assert {movement["sku"]: movement["on_hand_delta"] for movement in movements} == {mug.sku: 6, cup.sku: -2}
    for movement in movements:
        assert movement["reserved_delta"] == 0
        assert (movement["reason"], movement["reference"]) == ("counted", "Stock-take of autumn")
        assert (movement["adjustment_id"], movement["actor_id"]) == (made["id"], str(person))
    assert await shop.inventory.audit() == []


async def test_it_is_told_without_what_staff_wrote(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    mug, cup = await add_product(database, stock=5), await add_product(database, stock=5)

    made = await adjust(
        client, staff, item(mug, delta=3), item(cup, set_to=5), reason="returned", reference="Ada Lovelace's parcel"
    )

    (event,) = await all_of(database, select(OutboxEvent).where(OutboxEvent.type == "inventory.adjusted"))
    assert str(event.aggregate_id) == made.json()["id"]
    assert event.payload == {
        "reason": "returned",
        "items": [{"variant_id": str(mug.id), "delta": 3, "on_hand": 8}],
    }


async def test_a_count_that_confirms_everything_moves_nothing(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    mug = await add_product(database, stock=5)
    before = await rows(database)

    made = await adjust(client, staff, item(mug, set_to=5), reason="counted")

    assert (made.status_code, made.json()["items"][0]["delta"]) == (201, 0)
    assert await rows(database) == before | {"idempotency_keys": before["idempotency_keys"] + 1}


# Compare-and-set


async def test_what_is_not_as_expected_changes_nothing(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    mug, cup, pot = [await add_product(database, stock=stock) for stock in (5, 6, 7)]
    before = await rows(database)

    refused = await adjust(
        client,
        staff,
        item(mug, delta=1, expected_on_hand=4),
        item(cup, set_to=1, expected_on_hand=6),
        item(pot, delta=1, expected_on_hand=0),
    )

    problem = problem_of(refused)
    assert (problem["status"], problem["code"]) == (409, "stock_changed")
    assert problem["lines"] == [
        {"variant_id": str(mug.id), "expected_on_hand": 4, "on_hand": 5},
        {"variant_id": str(pot.id), "expected_on_hand": 0, "on_hand": 7},
    ]
    assert [await stock_of(database, variant) for variant in (mug, cup, pot)] == [(5, 0), (6, 0), (7, 0)]
    assert await rows(database) == before


async def test_what_is_as_expected_is_adjusted(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    mug = await add_product(database, stock=5)

    assert (await adjust(client, staff, item(mug, delta=-5, expected_on_hand=5))).status_code == 201
    assert (await adjust(client, staff, item(mug, set_to=3, expected_on_hand=0))).status_code == 201
    assert await stock_of(database, mug) == (3, 0)


# What orders hold


async def test_what_orders_hold_stays(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    await add_delivery(database)
    mug, cup, pot = [await add_product(database, stock=stock) for stock in (10, 4, 9)]
    await place(client, (mug, 7))
    before = await rows(database)

    refused = await adjust(client, staff, item(mug, set_to=6), item(cup, delta=-5), item(pot, delta=-9))

    problem = problem_of(refused)
    assert (problem["status"], problem["code"]) == (409, "insufficient_stock")
    assert problem["lines"] == [
        {"variant_id": str(mug.id), "requested": 4, "available": 3, "on_hand": 10, "reserved": 7, "backorder_limit": 0},
        {"variant_id": str(cup.id), "requested": 5, "available": 4, "on_hand": 4, "reserved": 0, "backorder_limit": 0},
    ]
    assert [await stock_of(database, variant) for variant in (mug, cup, pot)] == [(10, 7), (4, 0), (9, 0)]
    assert await rows(database) == before
    assert (await adjust(client, staff, item(mug, set_to=7), item(cup, delta=-4))).status_code == 201


async def test_back_orders_cover_what_orders_hold(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    await add_delivery(database)
    mug = await add_product(database, stock=10)
    await tune(client, staff, mug, backorder_limit=4)
    await place(client, (mug, 7))

    assert code(await adjust(client, staff, item(mug, set_to=2))) == "insufficient_stock"
    assert (await adjust(client, staff, item(mug, set_to=3))).status_code == 201
    level = await level_of(client, staff, mug)
    assert (level["on_hand"], level["available"]) == (3, -4)


# Once for each key


async def test_the_same_key_repeats_the_answer_and_not_the_deed(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    mug = await add_product(database, stock=5)

    first = await adjust(client, staff, item(mug, delta=3), key="delivery-1")
    again = await adjust(client, staff, item(mug, delta=3), key="delivery-1")
    other = await adjust(client, staff, item(mug, delta=4), key="delivery-1")

    assert (first.status_code, "Idempotent-Replayed" in first.headers) == (201, False)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert (again.content, again.headers["Location"]) == (first.content, first.headers["Location"])
    assert code(other) == "idempotency_key_reused"
    assert await stock_of(database, mug) == (8, 0)
    assert len(await all_of(database, select(StockMovement.id).where(StockMovement.adjustment_id.is_not(None)))) == 1


async def test_a_refusal_may_be_tried_again_with_its_key(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    mug = await add_product(database, stock=5)

    assert code(await adjust(client, staff, item(mug, delta=-6), key="mishap")) == "insufficient_stock"
    await adjust(client, staff, item(mug, delta=1))
    assert (await adjust(client, staff, item(mug, delta=-6), key="mishap")).status_code == 201


async def test_without_a_key_nothing_happens(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    mug = await add_product(database, stock=5)
    body = {"items": [item(mug, delta=1)], "reason": "received"}

    response = await client.post(f"{API}/inventory/adjustments", json=body, headers=staff)

    assert code(response) == "idempotency_key_required"
    assert await stock_of(database, mug) == (5, 0)


# What is no adjustment

_HERE, _THERE = f'"variant_id": "{NOWHERE}"', f'"variant_id": "{UUID(int=1)}"'
_MANY = ", ".join(f'{{"variant_id": "{UUID(int=number)}", "delta": 1}}' for number in range(MOST_ITEMS + 1))


@pytest.mark.parametrize(
    ("items", "errors"),
    [
        ("[]", [("/items", "too_short")]),
        (f"[{_MANY}]", [("/items", "too_long")]),
        (f"[{{{_HERE}}}]", [("/items/0", "delta_or_set_to")]),
        (f'[{{{_HERE}, "delta": 1, "set_to": 1}}]', [("/items/0", "delta_or_set_to")]),
        (f'[{{{_HERE}, "delta": null, "set_to": null}}]', [("/items/0", "delta_or_set_to")]),
        (f'[{{{_HERE}, "delta": 0}}]', [("/items/0/delta", "moves_nothing")]),
        (f'[{{{_HERE}, "delta": {10**9 + 1}}}]', [("/items/0/delta", "less_than_equal")]),
        (f'[{{{_HERE}, "delta": {-(2**63)}}}]', [("/items/0/delta", "greater_than_equal")]),
        (f'[{{{_HERE}, "delta": {2**64}}}]', [("/items/0/delta", "less_than_equal")]),
        (f'[{{{_HERE}, "delta": "1"}}]', [("/items/0/delta", "int_type")]),
        (f'[{{{_HERE}, "delta": true}}]', [("/items/0/delta", "int_type")]),
        (f'[{{{_HERE}, "delta": 1.5}}]', [("/items/0/delta", "int_type")]),
        (f'[{{{_HERE}, "set_to": -1}}]', [("/items/0/set_to", "greater_than_equal")]),
        (f'[{{{_HERE}, "set_to": {2**63}}}]', [("/items/0/set_to", "less_than_equal")]),
        (
            f'[{{{_HERE}, "delta": 1, "expected_on_hand": -1}}]',
            [("/items/0/expected_on_hand", "greater_than_equal")],
        ),
        (f'[{{{_HERE}, "delta": 1}}, {{{_HERE}, "delta": 2}}]', [("/items", "not_distinct")]),
        (f'[{{{_HERE}, "delta": 1, "on_hand": 3}}]', [("/items/0/on_hand", "extra_forbidden")]),
        ('[{"variant_id": "MUG-1", "delta": 1}]', [("/items/0/variant_id", "uuid_parsing")]),
        (
            f'[{{{_HERE}, "delta": 1}}, {{{_THERE}, "set_to": 1}}]',
            [("/items/0/variant_id", "unknown_variant"), ("/items/1/variant_id", "unknown_variant")],
        ),
    ],
)
async def test_items_that_are_none(
    client: httpx.AsyncClient, database: Database, staff: Headers, items: str, errors: list[tuple[str, str]]
) -> None:
    headers = keyed(staff) | {"Content-Type": "application/json"}
    before = await rows(database)

    response = await client.post(
        f"{API}/inventory/adjustments", content=f'{{"items": {items}, "reason": "other"}}', headers=headers
    )

    assert [(error["pointer"], error["code"]) for error in problem_of(response)["errors"]] == errors
    assert await rows(database) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("reason", reason) for reason in ("", "stolen", "reserved", "initial_stock", "RECEIVED", None, 1)),
        *(("reference", reference) for reference in ("", "  ", "a\nb", "a\x00b", "x" * 201, 1)),
    ],
)
async def test_reasons_that_are_none(
    client: httpx.AsyncClient, database: Database, staff: Headers, field: str, value: Any
) -> None:
    mug = await add_product(database, stock=5)

    response = await adjust(client, staff, item(mug, delta=1), **{field: value})

    assert [error["pointer"] for error in problem_of(response)["errors"]] == [f"/{field}"]
    assert await stock_of(database, mug) == (5, 0)


async def test_one_unknown_variant_stops_all(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    mug = await add_product(database, stock=5)

    refused = await adjust(client, staff, item(mug, delta=1), {"variant_id": str(NOWHERE), "delta": 1})

    assert [error["pointer"] for error in problem_of(refused)["errors"]] == ["/items/1/variant_id"]
    assert await stock_of(database, mug) == (5, 0)


async def test_as_many_items_as_are_allowed(
    client: httpx.AsyncClient, database: Database, shop: Shop, staff: Headers
) -> None:
    variants = [await add_product(database, stock=1) for _ in range(MOST_ITEMS)]

    made = await adjust(client, staff, *(item(variant, delta=1) for variant in variants), reason="received")

    assert made.status_code == 201
    assert {level["on_hand"] for level in made.json()["items"]} == {2}
    assert len(await listed(client, staff, "/movements", adjustment_id=made.json()["id"], limit=100)) == 100
    assert await shop.inventory.audit() == []


def test_every_reason_of_staff_is_one_of_the_ledger() -> None:
    assert set(get_args(AdjustmentReason)) < set(MovementReason)
