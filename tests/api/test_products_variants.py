"""Variants: prices, SKUs and the stock of the first day."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models.inventory import StockLevel, StockMovement
from app.models.platform import OutboxEvent
from app.models.products import Product, Variant
from app.models.users import Role
from app.shop import Shop
from tests.support.catalogue import API, add_product
from tests.support.shopping import signed_in

PRICE = {"amount": 1999, "currency": "EUR"}
SIZES = [{"name": "Size", "values": ["S", "M"]}, {"name": "Colour/ink~", "values": ["red", "blue"]}]
MEDIUM = {"Size": "M", "Colour/ink~": "red"}


@pytest.fixture
async def staff(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.CATALOG)


@pytest.fixture
async def tee(database: Database) -> Product:
    return await add_product(database, "Tee", slug="tee", options=SIZES)


async def all_of(database: Database, model: type[Any]) -> list[Any]:
    async with database.snapshot() as tx:
        return list(await tx.session.scalars(select(model)))


async def create(client: httpx.AsyncClient, staff: dict[str, str], product: Product, **body: Any) -> httpx.Response:
    whole = {"sku": "TEE-M", "option_values": MEDIUM, "price": PRICE} | body
    return await client.post(f"{API}/products/{product.id}/variants", json=whole, headers=staff)


async def test_a_variant_comes_with_its_stock(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tee: Product
) -> None:
    response = await create(client, staff, tee, stock=100, weight_g=180, compare_at={"amount": 2499, "currency": "EUR"})

    assert response.status_code == 201
    variant = response.json()
    assert response.headers["location"] == f"{API}/variants/{variant['id']}"
    assert response.headers["etag"] == '"v1"'
    assert variant == {
        "id": variant["id"],
        "sku": "TEE-M",
        "options": MEDIUM,
        "price": PRICE,
        "compare_at": {"amount": 2499, "currency": "EUR"},
        "available": 100,
        "weight_g": 180,
        "status": "active",
        "version": 1,
    }
    page = await client.get(f"{API}/products/tee")
    assert page.json()["variants"] == [variant]
    assert page.json()["version"] == 2
    [movement] = await all_of(database, StockMovement)
    assert (str(movement.variant_id), movement.on_hand_delta, movement.reserved_delta, movement.reason) == (
        variant["id"],
        100,
        0,
        "initial_stock",
    )
    [event] = await all_of(database, OutboxEvent)
    assert (event.type, event.aggregate_id, event.payload) == ("product.updated", tee.id, {"version": 2})


async def test_without_stock_nothing_has_moved(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tee: Product
) -> None:
    assert (await create(client, staff, tee)).json()["available"] == 0

    assert [level.on_hand for level in await all_of(database, StockLevel)] == [0]
    assert await all_of(database, StockMovement) == []


async def test_a_sku_names_one_variant_of_the_shop(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tee: Product
) -> None:
    await create(client, staff, await add_product(database, "Other", options=SIZES))

    response = await create(client, staff, tee)

    assert (response.status_code, response.json()["code"]) == (409, "sku_taken")
    assert (await client.get(f"{API}/products/tee")).json()["version"] == 1


async def test_a_product_has_one_variant_of_each_kind(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tee: Product
) -> None:
    await create(client, staff, tee)

    response = await create(client, staff, tee, sku="OTHER", option_values=dict(reversed(MEDIUM.items())))

    assert (response.status_code, response.json()["code"]) == (409, "variant_exists")
    assert len(await all_of(database, Variant)) == 1


@pytest.mark.parametrize(
    ("chosen", "problems"),
    [
        ({}, [("/option_values/Size", "missing"), ("/option_values/Colour~1ink~0", "missing")]),
        ({"Size": "M"}, [("/option_values/Colour~1ink~0", "missing")]),
        (MEDIUM | {"Size": "XXL"}, [("/option_values/Size", "unknown_value")]),
        (MEDIUM | {"Fit": "slim"}, [("/option_values/Fit", "unknown_option")]),
        (MEDIUM | {"size": "M"}, [("/option_values/size", "unknown_option")]),
    ],
)
async def test_choices_are_those_that_the_product_offers(
    client: httpx.AsyncClient,
    database: Database,
    staff: dict[str, str],
    tee: Product,
    chosen: dict[str, str],
    problems: list[tuple[str, str]],
) -> None:
    response = await create(client, staff, tee, option_values=chosen, stock=5)

    assert response.status_code == 422
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == problems
    assert await all_of(database, Variant) == []
    assert await all_of(database, StockMovement) == []


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"price": {"amount": 1999, "currency": "USD"}}, "/price/currency"),
        ({"price": {"amount": -1, "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": 10**12 + 1, "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": 19.99, "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": "1999", "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": True, "currency": "EUR"}}, "/price/amount"),
        ({"price": 1999}, "/price"),
        ({"price": None}, "/price"),
        ({"compare_at": PRICE}, "/compare_at"),
        ({"compare_at": {"amount": 2999, "currency": "USD"}}, "/compare_at/currency"),
        ({"sku": ""}, "/sku"),
        ({"sku": "has space"}, "/sku"),
        ({"sku": "A" * 65}, "/sku"),
        ({"stock": -1}, "/stock"),
        ({"stock": 10**12}, "/stock"),
        ({"stock": 1.5}, "/stock"),
        ({"weight_g": -1}, "/weight_g"),
        ({"option_values": {"Size": "\x00"}}, "/option_values/Size"),
        ({"option_values": {"Size": 1}}, "/option_values/Size"),
        ({"reserved": 0}, "/reserved"),
    ],
)
async def test_a_wrong_variant_is_refused(
    client: httpx.AsyncClient,
    database: Database,
    staff: dict[str, str],
    tee: Product,
    changed: dict[str, Any],
    pointer: str,
) -> None:
    response = await create(client, staff, tee, **changed)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert await all_of(database, Variant) == []


# Change


async def test_a_new_price_is_told_to_the_world(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tee: Product
) -> None:
    variant = (await create(client, staff, tee, stock=3)).json()

    response = await client.patch(
        f"{API}/variants/{variant['id']}",
        json={"price": {"amount": 1799, "currency": "EUR"}, "compare_at": PRICE},
        headers=staff | {"If-Match": '"v1"'},
    )

    assert response.status_code == 200
    assert response.headers["etag"] == '"v2"'
    assert response.json() == variant | {
        "price": {"amount": 1799, "currency": "EUR"},
        "compare_at": PRICE,
        "version": 2,
    }
    assert (await client.get(f"{API}/products/tee")).json()["version"] == 3
    events = sorted(await all_of(database, OutboxEvent), key=lambda event: event.position)
    assert [event.type for event in events] == ["product.updated", "product.updated", "price.changed"]
    assert events[-1].aggregate_id == tee.id
    assert events[-1].payload == {
        "variant_id": variant["id"],
        "currency": "EUR",
        "old_amount": 1999,
        "new_amount": 1799,
    }


async def test_only_what_is_sent_changes(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tee: Product
) -> None:
    variant = (await create(client, staff, tee, compare_at={"amount": 2499, "currency": "EUR"})).json()
    address = f"{API}/variants/{variant['id']}"

    first = await client.patch(
        address,
        json={"sku": "TEE-S", "option_values": MEDIUM | {"Size": "S"}, "weight_g": 7},
        headers=staff | {"If-Match": '"v1"'},
    )
    second = await client.patch(address, json={"compare_at": None}, headers=staff | {"If-Match": '"v2"'})

    changed = {"sku": "TEE-S", "options": MEDIUM | {"Size": "S"}, "weight_g": 7}
    assert first.json() == variant | changed | {"version": 2}
    assert second.json() == variant | changed | {"compare_at": None, "version": 3}
    assert "price.changed" not in [event.type for event in await all_of(database, OutboxEvent)]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"compare_at": PRICE}, "/compare_at"),
        ({"price": {"amount": 2499, "currency": "EUR"}}, "/compare_at"),
        ({"price": None}, "/price"),
        ({"price": {"amount": 1, "currency": "USD"}}, "/price/currency"),
        ({"option_values": {"Size": "M"}}, "/option_values/Colour~1ink~0"),
        ({"status": "draft"}, "/status"),
        ({"stock": 5}, "/stock"),
        ({"product_id": "x"}, "/product_id"),
    ],
)
async def test_a_wrong_change_is_refused(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product, change: dict[str, Any], pointer: str
) -> None:
    variant = (await create(client, staff, tee, compare_at={"amount": 2499, "currency": "EUR"})).json()

    response = await client.patch(f"{API}/variants/{variant['id']}", json=change, headers=staff | {"If-Match": '"v1"'})

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert (await client.get(f"{API}/products/tee")).json()["variants"] == [variant]


@pytest.mark.parametrize(("if_match", "status"), [(None, 428), ('"v2"', 412)])
async def test_an_edit_names_the_version_it_has_seen(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product, if_match: str | None, status: int
) -> None:
    variant = (await create(client, staff, tee)).json()
    headers = staff | ({"If-Match": if_match} if if_match else {})

    changed = await client.patch(f"{API}/variants/{variant['id']}", json={"weight_g": 1}, headers=headers)
    archived = await client.delete(f"{API}/variants/{variant['id']}", headers=headers)

    assert (changed.status_code, archived.status_code) == (status, status)
    assert (await client.get(f"{API}/products/tee")).json()["variants"] == [variant]


async def test_an_archived_variant_can_come_back(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product
) -> None:
    variant = (await create(client, staff, tee, stock=1)).json()
    address = f"{API}/variants/{variant['id']}"

    archived = await client.delete(address, headers=staff | {"If-Match": '"v1"'})
    without = (await client.get(f"{API}/products/tee")).json()
    restored = await client.patch(address, json={"status": "active"}, headers=staff | {"If-Match": '"v2"'})

    assert archived.status_code == 204
    assert (without["variants"], without["version"]) == ([], 3)
    assert restored.json() == variant | {"version": 3}


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_an_unknown_variant_is_not_found(client: httpx.AsyncClient, staff: dict[str, str], method: str) -> None:
    address = f"{API}/variants/00000000-0000-7000-8000-000000000000"

    response = await client.request(method, address, json={}, headers=staff | {"If-Match": '"v1"'})

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
