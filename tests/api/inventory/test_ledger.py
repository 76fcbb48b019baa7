"""What happened to the stock, and what orders hold of it: looked up by the warehouse."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from app.core.ids import uuid7
from app.database import Database
from app.models.inventory import StockMovement
from app.models.products import Variant
from tests.support.problems import problem_of
from tests.support.shopping import API, add_delivery, add_product, keyed, pay, place
from tests.support.warehouse import Headers, adjust, item, listed

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def delivery(database: Database) -> None:
    await add_delivery(database)


async def add_movements(database: Database, variant: Variant, *hours: int) -> None:
    """Movements of a day long ago, so many hours after its morning."""
    async with database.transaction() as tx:
        await tx.session.execute(
            insert(StockMovement),
            [
                {
                    "id": uuid7(),
                    "variant_id": variant.id,
                    "on_hand_delta": hour + 1,
                    "reason": "received",
                    "created_at": MORNING + timedelta(hours=hour),
                }
                for hour in hours
            ],
        )


def facts(movements: list[dict[str, Any]]) -> list[tuple[str, int, int, str | None]]:
    return [(row["reason"], row["on_hand_delta"], row["reserved_delta"], row["reference"]) for row in movements]


async def test_an_order_and_its_end_are_in_the_ledger(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    mug, cup = await add_product(database, stock=5), await add_product(database, stock=5)
    order, guest = await place(client, (mug, 2), (cup, 1))
    await client.post(f"{API}/orders/{order['id']}/cancel", headers=keyed(guest))

    movements = await listed(client, staff, "/movements", reference=order["id"])

    assert len(movements) == 4
    of_mug = [row for row in movements if row["variant_id"] == str(mug.id)]
    assert sorted(facts(of_mug)) == [("released", 0, -2, order["id"]), ("reserved", 0, 2, order["id"])]
    assert {(row["sku"], row["actor_id"], row["adjustment_id"]) for row in of_mug} == {(mug.sku, None, None)}


async def test_filters_of_the_ledger(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    mug, cup = await add_product(database, stock=5), await add_product(database, stock=6)
    order, _ = await place(client, (mug, 2))
    await adjust(client, staff, item(mug, delta=-1), item(cup, delta=-1), reason="damaged", reference="Forklift")
    await adjust(client, staff, item(cup, delta=-1), reason="lost")

    async def found(**filters: Any) -> list[tuple[str, int, int, str | None]]:
        return sorted(facts(await listed(client, staff, "/movements", **filters)))

    damaged, lost = ("damaged", -1, 0, "Forklift"), ("lost", -1, 0, None)
    assert await found(reason="damaged") == [damaged, damaged]
    assert await found(reference="Forklift", variant_id=mug.id) == [damaged]
    assert await found(sku=cup.sku) == [damaged, lost, ("received", 6, 0, None)]
    assert await found(variant_id=mug.id) == [damaged, ("received", 5, 0, None), ("reserved", 0, 2, order["id"])]
    assert await found(reason="shipped") == []


async def test_the_ledger_is_read_from_its_newest_end(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    mug = await add_product(database, stock=0)
    await add_movements(database, mug, 4, 2, 0, 2, 3, 1)  # two at one moment

    async def page(**query: Any) -> Any:
        return (await client.get(f"{API}/inventory/movements", params=query, headers=staff)).json()

    whole = (await page())["data"]
    assert [row["on_hand_delta"] for row in whole] == [5, 4, 3, 3, 2, 1]

    first = await page(limit=3, include_total=True)
    second = await page(limit=3, cursor=first["page"]["next_cursor"])
    assert first["data"] + second["data"] == whole
    assert (first["page"]["total"], second["page"]["next_cursor"]) == (6, None)
    assert (await page(limit=3, cursor=second["page"]["prev_cursor"]))["data"] == first["data"]


async def test_a_span_of_time(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    mug = await add_product(database, stock=0)
    await add_movements(database, mug, *range(6))

    span = {"created_at[gte]": "2026-03-01T09:00:00Z", "created_at[lte]": "2026-03-01T12:00:00+01:00"}
    movements = await listed(client, staff, "/movements", **span)

    assert [row["created_at"] for row in movements] == [f"2026-03-01T{hour}:00:00Z" for hour in ("11", "10", "09")]
    ever = {"created_at[gte]": "0001-01-01T00:00:00+23:59", "created_at[lte]": "9999-12-31T23:59:59-23:59"}
    assert len(await listed(client, staff, "/movements", **ever)) == 6


async def test_reservations_follow_their_orders(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    mug, cup = await add_product(database, stock=9), await add_product(database, stock=9)
    paid, guest = await place(client, (mug, 2), (cup, 1))
    await pay(client, paid, guest)
    unpaid, _ = await place(client, (mug, 3))

    (active,) = await listed(client, staff, "/reservations", status="active")

    assert active.keys() == {
        *("id", "order_id", "order_number", "variant_id", "sku", "quantity", "status", "expires_at")
    }
    assert (active["order_id"], active["order_number"]) == (unpaid["id"], unpaid["number"])
    assert (active["variant_id"], active["sku"], active["quantity"]) == (str(mug.id), mug.sku, 3)
    assert active["expires_at"] == unpaid["expires_at"]
    of_mug = await listed(client, staff, "/reservations", variant_id=mug.id)
    assert [(row["quantity"], row["status"]) for row in of_mug] == [(3, "active"), (2, "committed")]
    of_paid = await listed(client, staff, "/reservations", order_id=paid["id"], status="committed")
    assert sorted(row["sku"] for row in of_paid) == sorted([mug.sku, cup.sku])
    assert await listed(client, staff, "/reservations", order_id=paid["id"], status="released") == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        *(("movements", query) for query in ("reason=stolen", "reason=", "variant_id=1", "sku=%00", "reference=")),
        *(("movements", f"created_at[gte]={moment}") for moment in ("today", "2026-03-01T09:00:00", "", "NaN")),
        *(("movements", f"created_at[lte]={moment}") for moment in ("1577836800", "1e300", "2026-03-01")),
        ("movements", "sort=created_at"),
        *(("movements", "reference=a%00b"), ("movements", "actor_id=1")),
        *(("reservations", query) for query in ("status=lost", "status=", "order_id=1", "variant_id=x", "sort=id")),
    ],
)
async def test_filters_that_are_none(client: httpx.AsyncClient, staff: Headers, path: str, query: str) -> None:
    problem = problem_of(await client.get(f"{API}/inventory/{path}?{query}", headers=staff))

    assert [error["pointer"] for error in problem["errors"]] == [query.partition("=")[0]]
