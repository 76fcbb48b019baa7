"""The staff's list of all products, and the slugs that would hide it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.products import RESERVED_SLUGS, ProductStatus, VariantStatus
from app.models.users import Role
from app.shop import Shop
from tests.support.catalogue import API, OPENING, add_product
from tests.support.problems import problem_of
from tests.support.shopping import signed_in
from tests.support.statements import count_statements

DRAFT: dict[str, Any] = {"status": ProductStatus.DRAFT, "published_at": None}
ARCHIVED: dict[str, Any] = {"status": ProductStatus.ARCHIVED}


@pytest.fixture
async def staff(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.CATALOG)


async def read(client: httpx.AsyncClient, staff: dict[str, str], **parameters: Any) -> dict[str, Any]:
    response = await client.get(f"{API}/products/manage", params=parameters, headers=staff)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def listed(client: httpx.AsyncClient, staff: dict[str, str], **parameters: Any) -> list[str]:
    return [row["name"] for row in (await read(client, staff, **parameters))["data"]]


async def test_everything_is_listed_with_what_staff_need_to_go_on(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    draft = await add_product(database, "Draft", updated_at=OPENING, **DRAFT)
    mug = await add_product(database, "Mug", 300, 200, 100, updated_at=OPENING.replace(day=2), version=7)
    async with database.transaction() as tx:
        await tx.session.execute(
            text("UPDATE variants SET status = :status WHERE id = :id"),
            {"status": VariantStatus.ARCHIVED, "id": mug.variants[2].id},
        )

    assert (await read(client, staff))["data"] == [
        {
            "id": str(mug.id),
            "slug": mug.slug,
            "name": "Mug",
            "status": "active",
            "version": 7,
            "price_from": {"amount": 200, "currency": "EUR"},
            "variants": 2,
            "updated_at": "2026-01-02T00:00:00Z",
        },
        {
            "id": str(draft.id),
            "slug": draft.slug,
            "name": "Draft",
            "status": "draft",
            "version": 1,
            "price_from": None,
            "variants": 0,
            "updated_at": "2026-01-01T00:00:00Z",
        },
    ]


async def test_filters(client: httpx.AsyncClient, database: Database, staff: dict[str, str]) -> None:
    await add_product(database, "Café set")
    await add_product(database, "Decaf 50%", **DRAFT)
    await add_product(database, "Old_cafe", **ARCHIVED)

    assert await listed(client, staff, status="draft") == ["Decaf 50%"]
    assert await listed(client, staff, status="active") == ["Café set"]
    assert await listed(client, staff, status="archived") == ["Old_cafe"]
    assert await listed(client, staff, q="CAFÉ", sort="name") == ["Café set", "Old_cafe"]
    assert await listed(client, staff, q=" caf ", sort="name") == ["Café set", "Decaf 50%", "Old_cafe"]
    assert await listed(client, staff, q="caf", status="draft") == ["Decaf 50%"]
    assert await listed(client, staff, q="tea") == []
    assert await listed(client, staff, q=" ", status="draft") == ["Decaf 50%"]
    page = await read(client, staff, q="caf", limit=1, include_total=True)
    assert (page["page"]["total"], len(page["data"])) == (3, 1)


@pytest.mark.parametrize(
    ("q", "found"), [("%", ["50% off"]), ("_", ["a_b"]), ("\\", ["c\\d"]), ("\N{FULLWIDTH PERCENT SIGN}", ["50% off"])]
)
async def test_wildcards_are_letters_like_others(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], q: str, found: list[str]
) -> None:
    for name in ("50% off", "a_b", "c\\d", "plain"):
        await add_product(database, name)

    assert await listed(client, staff, q=q) == found


@pytest.mark.parametrize("status", [None, "draft"])
@pytest.mark.parametrize("sort", ["-updated_at", "updated_at", "name", "-name"])
async def test_every_order_can_be_paged_there_and_back(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], sort: str, status: str | None
) -> None:
    states: tuple[dict[str, Any], ...] = (DRAFT, {}, ARCHIVED)
    for number in range(9):  # of each status, several are alike
        state = states[number % 3] if status is None else DRAFT
        day = OPENING.replace(day=1 + number // 4)
        await add_product(database, "éCba"[number // 4] + " mug", updated_at=day, **state)
    query = {"sort": sort} | ({"status": status} if status else {})
    whole = (await read(client, staff, **query))["data"]
    assert len(whole) == 9
    if sort.endswith("name"):
        expected = ["b mug"] + ["C mug"] * 4 + ["é mug"] * 4
        assert [row["name"] for row in whole] == (expected[::-1] if sort.startswith("-") else expected)
    else:
        times = [row["updated_at"] for row in whole]
        assert times == sorted(times, reverse=sort.startswith("-"))

    page = await read(client, staff, limit=2, **query)
    pages = [page["data"]]
    while cursor := page["page"]["next_cursor"]:
        page = await read(client, staff, limit=2, cursor=cursor, **query)
        pages.append(page["data"])
    assert [row for rows in pages for row in rows] == whole
    for rows in reversed(pages[:-1]):
        page = await read(client, staff, limit=2, cursor=page["page"]["prev_cursor"], **query)
        assert page["data"] == rows
    assert page["page"]["prev_cursor"] is None


async def test_a_cursor_belongs_to_its_filters_and_its_order(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    for number in range(2):
        await add_product(database, f"Mug {number}")
    cursor = (await read(client, staff, limit=1))["page"]["next_cursor"]

    for other in ({"sort": "name"}, {"status": "active"}, {"q": "mug"}):
        refused = await client.get(f"{API}/products/manage", params={"cursor": cursor, **other}, headers=staff)
        assert problem_of(refused)["code"] == "invalid_cursor"
    public = await client.get(f"{API}/products", params={"cursor": cursor})
    assert problem_of(public)["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"status": "deleted"}, "status"),
        ({"sort": "price"}, "sort"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a\x00"}, "q"),
        ({"category": "mugs"}, "category"),
    ],
)
async def test_nonsense_is_refused(
    client: httpx.AsyncClient, staff: dict[str, str], parameters: dict[str, str], pointer: str
) -> None:
    response = await client.get(f"{API}/products/manage", params=parameters, headers=staff)

    problem = problem_of(response)
    assert (problem["status"], [error["pointer"] for error in problem["errors"]]) == (422, [pointer])


@pytest.mark.parametrize("role", [None, Role.CUSTOMER, Role.SUPPORT, Role.WAREHOUSE, Role.ANALYST, Role.ADMIN])
async def test_only_the_staff_of_the_catalogue_see_it(
    client: httpx.AsyncClient, shop: Shop, database: Database, role: Role | None
) -> None:
    await add_product(database, "Draft", **DRAFT)

    response = await client.get(f"{API}/products/manage", headers=await signed_in(shop, role) if role else {})

    assert response.status_code == (200 if role is Role.ADMIN else 403 if role else 401)
    assert ("Draft" in response.text) is (role is Role.ADMIN)
    assert "public" not in response.headers.get("Cache-Control", "")


async def test_a_page_is_one_statement_however_many_rows(
    client: httpx.AsyncClient, connection: AsyncConnection, database: Database, staff: dict[str, str]
) -> None:
    counts = []
    for new in (1, 49):
        for number in range(new):
            await add_product(database, f"Mug {number}", 100, 200, **(DRAFT if number % 2 else {}))
        await read(client, staff)  # now the person is known
        with count_statements(connection) as statements:
            assert len((await read(client, staff, limit=50))["data"]) in (1, 50)
        counts.append([each for each in statements if "FROM products" in each])
        assert len(statements) - len(counts[-1]) <= 1, "the person's role"

    assert [len(each) for each in counts] == [1, 1]


@pytest.mark.parametrize(
    ("parameters", "index"),
    [
        ({}, "ix_products_updated"),
        ({"status": "draft"}, "ix_products_updated"),
        ({"sort": "name"}, "ix_products_name"),
        ({"q": "kettle"}, "ix_products_part_of_name"),
    ],
)
async def test_an_index_serves_every_list(
    client: httpx.AsyncClient,
    connection: AsyncConnection,
    database: Database,
    staff: dict[str, str],
    parameters: dict[str, str],
    index: str,
) -> None:
    await connection.execute(
        text(
            "INSERT INTO products (id, slug, name, status, published_at) "
            "SELECT gen_random_uuid(), 'mug-' || n, 'Mug ' || n, 'archived', now() FROM generate_series(1, 5000) AS n"
        )
    )
    await connection.execute(text("ANALYZE products"))
    before = await uses_of(connection, index)

    await read(client, staff, **parameters)

    assert await uses_of(connection, index) > before


async def uses_of(connection: AsyncConnection, index: str) -> int:
    """How often this transaction has scanned the index."""
    counted = text("SELECT pg_stat_get_xact_numscans(CAST(:index AS regclass))")
    uses: int = (await connection.execute(counted, {"index": index})).scalar_one()
    return uses


# Slugs


@pytest.mark.parametrize("slug", RESERVED_SLUGS)
async def test_no_product_has_the_address_of_something_else(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], slug: str
) -> None:
    created = await client.post(f"{API}/products", json={"name": slug.title()}, headers=staff)
    assert created.status_code == 201
    assert created.json()["slug"].startswith(f"{slug}-")

    chosen = await client.post(f"{API}/products", json={"name": "Mug", "slug": slug}, headers=staff)
    renamed = await client.patch(
        f"{API}/products/{created.json()['id']}", json={"slug": slug}, headers=staff | {"If-Match": '"v1"'}
    )

    for refused in (chosen, renamed):
        [error] = problem_of(refused)["errors"]
        assert (refused.status_code, error["pointer"], error["code"]) == (422, "/slug", "reserved_slug")
    with pytest.raises(IntegrityError, match="ck_products_slug_is_not_reserved"):
        await add_product(database, "Mug", slug=slug)


async def test_products_for_sale_need_no_sign_in(client: httpx.AsyncClient, database: Database) -> None:
    await add_product(database, "Mug", slug="mug")
    await add_product(database, "Draft", **DRAFT)

    response = await client.get(f"{API}/products")

    assert [card["name"] for card in response.json()["data"]] == ["Mug"]
    assert response.headers["Cache-Control"].startswith("public")
