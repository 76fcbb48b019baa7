"""The steps that the warehouse's staff take over HTTP, and what the shop tells of its stock."""

from typing import Any

import httpx
from sqlalchemy import select

from app.database import Database
from app.models.platform import OutboxEvent
from app.models.products import Variant
from tests.support.accounts import all_of
from tests.support.shopping import API, keyed

Headers = dict[str, str]


def item(variant: Variant, **values: int) -> dict[str, Any]:
    """An item of an adjustment: `delta` or `set_to`, and perhaps `expected_on_hand`."""
    return {"variant_id": str(variant.id), **values}


async def adjust(
    client: httpx.AsyncClient, staff: Headers, *items: dict[str, Any], key: str | None = None, **changes: Any
) -> httpx.Response:
    body = {"items": items, "reason": "correction"} | changes
    return await client.post(f"{API}/inventory/adjustments", json=body, headers=keyed(staff, key))


async def tune(client: httpx.AsyncClient, staff: Headers, variant: Variant, **changes: int) -> httpx.Response:
    return await client.patch(f"{API}/inventory/{variant.id}", json=changes, headers=staff)


async def level_of(client: httpx.AsyncClient, staff: Headers, variant: Variant) -> dict[str, Any]:
    response = await client.get(f"{API}/inventory/{variant.id}", headers=staff)
    assert response.status_code == 200, response.text
    level: dict[str, Any] = response.json()
    return level


async def listed(client: httpx.AsyncClient, staff: Headers, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """The rows on the first page of a list below `/inventory`."""
    response = await client.get(f"{API}/inventory{path}", params=parameters, headers=staff)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()["data"]
    return rows


async def stock_events(database: Database, variant: Variant) -> list[tuple[str, int]]:
    """What was told of a variant's stock, in order: the type of the event and what was available then."""
    told = await all_of(
        database,
        select(OutboxEvent)
        .where(OutboxEvent.aggregate_id == variant.id, OutboxEvent.type.startswith("stock."))
        .order_by(OutboxEvent.position),
    )
    return [(event.type, event.payload["available"]) for event in told]
