"""How much there is: listed, shown, and tuned by the warehouse."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.products import Product, ProductStatus, Variant, VariantStatus
from app.models.users import Role
from app.shop import Shop
from tests.support.accounts import change, code
from tests.support.catalogue import add_product as add_product_with_variants
from tests.support.problems import problem_of
from tests.support.shopping import API, add_delivery, add_product, place, signed_in
from tests.support.statements import count_statements
from tests.support.warehouse import Headers, adjust, item, level_of, listed, tune

LISTS = ("", "/movements", "/reservations")


def skus(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["sku"] for row in rows]


async def test_a_level_tells_what_there_is(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    await add_delivery(database)
    mug = await add_product(database, stock=9)
    await place(client, (mug, 2))

    level = await level_of(client, staff, mug)

    assert level == {
        "variant_id": str(mug.id),
        "sku": mug.sku,
        "product": {"id": str(mug.product_id), "slug": mug.product.slug, "name": mug.product.name},
        "options": {},
        "on_hand": 9,
        "reserved": 2,
        "available": 7,
        "backorder_limit": 0,
        "reorder_point": 0,
        "low_stock": False,
    }
    assert await listed(client, staff, "", sku=mug.sku) == [level]


async def test_filters(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    few, many = await add_product(database, stock=5), await add_product(database, stock=6)
    tee = await add_product_with_variants(database, "Tee", 100, 200, stock=9)
    for variant in (few, many):
        await tune(client, staff, variant, reorder_point=5)

    assert skus(await listed(client, staff, "", low_stock=True)) == [few.sku]
    assert few.sku not in skus(await listed(client, staff, "", low_stock=False))
    assert len(await listed(client, staff, "", low_stock=False)) == 3
    assert skus(await listed(client, staff, "", sku=many.sku)) == [many.sku]
    assert await listed(client, staff, "", sku=many.sku.lower()) == []
    assert skus(await listed(client, staff, "", variant_id=few.id)) == [few.sku]
    for address in (tee.id, tee.slug):
        assert skus(await listed(client, staff, "", product=address)) == [variant.sku for variant in tee.variants]
    for nothing in ("nothing", "Not a slug", UUID(int=0)):
        assert await listed(client, staff, "", product=nothing) == []
    assert await listed(client, staff, "", sku=many.sku, low_stock=True) == []


async def test_nobody_orders_again_what_is_archived(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    mug = await add_product(database, stock=0)
    assert skus(await listed(client, staff, "", low_stock=True)) == [mug.sku]

    await change(database, Variant, status=VariantStatus.ARCHIVED)
    assert await listed(client, staff, "", low_stock=True) == []
    assert (await level_of(client, staff, mug))["low_stock"] is False

    await change(database, Variant, status=VariantStatus.ACTIVE)
    await change(database, Product, status=ProductStatus.ARCHIVED)
    assert await listed(client, staff, "", low_stock=True) == []


@pytest.mark.parametrize("sort", ["sku", "-sku", "available", "-available"])
async def test_every_order_can_be_paged_there_and_back(
    client: httpx.AsyncClient, database: Database, staff: Headers, sort: str
) -> None:
    for stock in (3, 1, 2, 1, 1):  # several are alike, and none is left out
        await add_product(database, stock=stock)
    whole = await listed(client, staff, "", sort=sort)
    key = sort.removeprefix("-")
    assert [row[key] for row in whole] == sorted((row[key] for row in whole), reverse=sort.startswith("-"))

    pages, query = [], {"sort": sort, "limit": "2", "include_total": "true"}
    page = (await client.get(f"{API}/inventory", params=query, headers=staff)).json()
    pages.append(page["data"])
    while cursor := page["page"]["next_cursor"]:
        page = (await client.get(f"{API}/inventory", params=query | {"cursor": cursor}, headers=staff)).json()
        pages.append(page["data"])
    assert [len(rows) for rows in pages] == [2, 2, 1]
    assert [row for rows in pages for row in rows] == whole
    assert page["page"]["total"] == 5

    back = await client.get(f"{API}/inventory", params=query | {"cursor": page["page"]["prev_cursor"]}, headers=staff)
    assert back.json()["data"] == pages[1]


async def test_a_cursor_belongs_to_its_list_its_filters_and_its_order(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    await add_delivery(database)
    mug, cup = await add_product(database), await add_product(database)
    await place(client, (mug, 1), (cup, 1))
    cursors = {}
    for path in LISTS:
        first = await client.get(f"{API}/inventory{path}", params={"limit": 1}, headers=staff)
        cursors[path] = first.json()["page"]["next_cursor"]

    for path in LISTS:
        for other, cursor in cursors.items():
            response = await client.get(f"{API}/inventory{path}", params={"cursor": cursor}, headers=staff)
            assert (response.status_code == 200) is (path == other)
        elsewhere = {"cursor": cursors[path], "variant_id": str(mug.id)}
        refused = await client.get(f"{API}/inventory{path}", params=elsewhere, headers=staff)
        assert problem_of(refused)["code"] == "invalid_cursor"
    refused = await client.get(f"{API}/inventory", params={"cursor": cursors[""], "sort": "-sku"}, headers=staff)
    assert problem_of(refused)["code"] == "invalid_cursor"


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_takes_as_many_statements_for_fifty_rows_as_for_one(
    client: httpx.AsyncClient, database: Database, staff: Headers, connection: AsyncConnection, path: str
) -> None:
    await add_delivery(database)
    counts = []
    for new in (1, 49):
        await place(client, *[(await add_product(database, stock=1), 1) for _ in range(new)])
        with count_statements(connection) as statements:
            rows = await listed(client, staff, path, limit=50, include_total=True)
        assert len(rows) in (50, new + new * (path == "/movements"))
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 3, "the person's role, the rows, the total"


# Tuning


async def test_tuning(client: httpx.AsyncClient, database: Database, staff: Headers) -> None:
    mug = await add_product(database, stock=5)

    first = await tune(client, staff, mug, reorder_point=5)
    second = await tune(client, staff, mug, backorder_limit=7)

    assert (first.status_code, first.json()["low_stock"]) == (200, True)
    tuned = second.json()
    assert (tuned["reorder_point"], tuned["backorder_limit"], tuned["on_hand"]) == (5, 7, 5)
    assert (await tune(client, staff, mug)).json() == tuned == await level_of(client, staff, mug)


async def test_back_orders_that_were_sold_cannot_be_forbidden(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    await add_delivery(database)
    mug = await add_product(database, stock=2)
    await tune(client, staff, mug, backorder_limit=5)
    await place(client, (mug, 6))
    before = await level_of(client, staff, mug)

    refused = await tune(client, staff, mug, backorder_limit=3, reorder_point=9)

    problem = problem_of(refused)
    assert problem["code"] == "backorders_promised"
    assert (problem["on_hand"], problem["reserved"], problem["lowest"]) == (2, 6, 4)
    assert await level_of(client, staff, mug) == before
    assert before["available"] == -4
    assert (await tune(client, staff, mug, backorder_limit=4)).status_code == 200


@pytest.mark.parametrize("field", ["reorder_point", "backorder_limit"])
@pytest.mark.parametrize("value", [-1, 10**9 + 1, 2**63, "1", 1.5, True, None, [1]])
async def test_numbers_that_are_none(
    client: httpx.AsyncClient, database: Database, staff: Headers, field: str, value: Any
) -> None:
    mug = await add_product(database)

    response = await client.patch(f"{API}/inventory/{mug.id}", json={field: value}, headers=staff)

    assert [error["pointer"] for error in problem_of(response)["errors"]] == [f"/{field}"]


@pytest.mark.parametrize("field", ["on_hand", "reserved", "available", "version"])
async def test_counters_are_not_tuned(
    client: httpx.AsyncClient, database: Database, staff: Headers, field: str
) -> None:
    mug = await add_product(database)

    response = await client.patch(f"{API}/inventory/{mug.id}", json={field: 1}, headers=staff)

    assert [error["code"] for error in problem_of(response)["errors"]] == ["extra_forbidden"]


# Who


@pytest.mark.parametrize("role", [None, *(role for role in Role if role not in (Role.WAREHOUSE, Role.ADMIN))])
async def test_only_the_warehouse_sees_and_changes_stock(
    client: httpx.AsyncClient, shop: Shop, database: Database, role: Role | None
) -> None:
    mug = await add_product(database, stock=5)
    somebody = await signed_in(shop, role) if role else {}

    responses = [
        *[await client.get(f"{API}/inventory{path}", headers=somebody) for path in (*LISTS, f"/{mug.id}")],
        await tune(client, somebody, mug, reorder_point=1),
        await adjust(client, somebody, item(mug, delta=1)),
    ]

    refusal = "insufficient_scope" if role else "invalid_token"
    assert {code(response) for response in responses} == {refusal}
    admin = await signed_in(shop, Role.ADMIN)
    level = await level_of(client, admin, mug)
    assert (level["on_hand"], level["reorder_point"]) == (5, 0)


async def test_a_variant_that_is_not_there(client: httpx.AsyncClient, staff: Headers) -> None:
    nowhere = f"{API}/inventory/{UUID(int=0)}"

    assert code(await client.get(nowhere, headers=staff)) == "not_found"
    assert code(await client.patch(nowhere, json={"reorder_point": 1}, headers=staff)) == "not_found"


@pytest.mark.parametrize(
    "query",
    [
        *("sort=on_hand", "sort=", "low_stock=maybe", "sku=%00", "sku=a%20b", f"sku={'x' * 65}", "variant_id=1"),
        *("product=%00", f"product={'x' * 121}", "limit=0", "limit=101", "include_total=si"),
    ],
)
async def test_filters_that_are_none(client: httpx.AsyncClient, staff: Headers, query: str) -> None:
    problem = problem_of(await client.get(f"{API}/inventory?{query}", headers=staff))

    assert [error["pointer"] for error in problem["errors"]] == [query.partition("=")[0]]
