"""A product's page, for customers and for staff, and how it is cached."""

import re

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.inventory import StockLevel
from app.models.products import Product, ProductStatus, Variant, VariantStatus
from app.models.users import Role
from app.shop import Shop
from tests.support.catalogue import API, add_category, add_product
from tests.support.shopping import signed_in
from tests.support.statements import count_statements


@pytest.fixture
async def mug(database: Database) -> Product:
    home = await add_category(database, "home")
    mugs = await add_category(database, "home/mugs", home)
    return await add_product(
        database,
        "Mug",
        1299,
        1999,
        slug="mug",
        summary="Holds coffee",
        description="Or tea.",
        attributes={"material": "stoneware", "dishwasher": True, "litres": 0.3, "colours": ["red", "blue"]},
        categories=[mugs, home],
        pictures=["mug/front.svg", "mug/back.svg"],
    )


async def test_the_page_shows_everything(client: httpx.AsyncClient, shop: Shop, mug: Product) -> None:
    response = await client.get(f"{API}/products/mug")

    assert response.status_code == 200
    home, mugs = sorted(mug.categories, key=lambda category: category.path)
    small, large = mug.variants
    assert response.json() == {
        "id": str(mug.id),
        "slug": "mug",
        "name": "Mug",
        "summary": "Holds coffee",
        "description": "Or tea.",
        "status": "active",
        "options": [{"name": "Kind", "values": ["0", "1"]}],
        "variants": [
            {
                "id": str(variant.id),
                "sku": variant.sku,
                "options": {"Kind": kind},
                "price": {"amount": amount, "currency": "EUR"},
                "compare_at": None,
                "available": 5,
                "weight_g": 0,
                "status": "active",
                "version": 1,
            }
            for variant, kind, amount in ((small, "0", 1299), (large, "1", 1999))
        ],
        "media": [
            {
                "id": str(picture.id),
                "url": f"{shop.settings.media_url}/mug/{name}.svg",
                "alt": "Mug",
                "width": 800,
                "height": 600,
                "position": place,
                "renditions": [],
            }
            for place, (picture, name) in enumerate(zip(mug.media, ("front", "back"), strict=True))
        ],
        "categories": [
            {"id": str(home.id), "slug": "home", "name": "Home"},
            {"id": str(mugs.id), "slug": "mugs", "name": "Mugs"},
        ],
        "attributes": {"material": "stoneware", "dishwasher": True, "litres": 0.3, "colours": ["red", "blue"]},
        "rating": {"average": 0.0, "count": 0},
        "version": 1,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "updated_at": response.json()["updated_at"],
        "published_at": "2026-01-01T00:00:00.000000Z",
    }


async def test_id_and_slug_lead_to_the_same_page(client: httpx.AsyncClient, mug: Product) -> None:
    by_slug = await client.get(f"{API}/products/mug")

    assert (await client.get(f"{API}/products/{mug.id}")).json() == by_slug.json()
    assert (await client.get(f"{API}/products/{str(mug.id).upper()}")).json() == by_slug.json()


@pytest.mark.parametrize(
    "address",
    [
        "unheard-of",
        "00000000-0000-7000-8000-000000000000",
        "Mug",
        "no_such_thing",
        "mug%00",
        "%25",
        "1",
        "-1",
        "٣",
        "mug'--",
        "{00000000-0000-7000-8000-000000000000}",
        "x" * 5000,
    ],
)
async def test_no_other_address_leads_anywhere(client: httpx.AsyncClient, mug: Product, address: str) -> None:
    response = await client.get(f"{API}/products/{address}")

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("status", [ProductStatus.DRAFT, ProductStatus.ARCHIVED])
async def test_what_is_not_for_sale_is_there_for_its_staff_only(
    client: httpx.AsyncClient, shop: Shop, database: Database, status: ProductStatus
) -> None:
    product = await add_product(database, "Secret", 100, slug="secret", status=status)
    statuses = {
        role: (await client.get(f"{API}/products/secret", headers=await signed_in(shop, role))).status_code
        for role in Role
    }

    assert (await client.get(f"{API}/products/{product.id}")).status_code == 404
    assert statuses == {role: 200 if role in (Role.CATALOG, Role.ADMIN) else 404 for role in Role}


async def test_archived_variants_are_shown_to_staff_only(
    client: httpx.AsyncClient, shop: Shop, database: Database, mug: Product
) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(
            update(Variant).where(Variant.id == mug.variants[0].id).values(status=VariantStatus.ARCHIVED)
        )

    public = await client.get(f"{API}/products/mug")
    staff = await client.get(f"{API}/products/mug", headers=await signed_in(shop, Role.CATALOG))

    assert [variant["sku"] for variant in public.json()["variants"]] == [mug.variants[1].sku]
    assert [variant["status"] for variant in staff.json()["variants"]] == ["archived", "active"]


@pytest.mark.parametrize(("reserved", "available"), [(0, 9), (4, 5), (9, 0)])
async def test_available_is_what_a_cart_takes_back_orders_included(
    client: httpx.AsyncClient, database: Database, mug: Product, reserved: int, available: int
) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(
            update(StockLevel)
            .where(StockLevel.variant_id == mug.variants[0].id)
            .values(on_hand=0, backorder_limit=9, reserved=reserved)
        )

    shown = (await client.get(f"{API}/products/mug")).json()["variants"][0]
    for quantity, status in ((available + 1, 409), (max(available, 1), 201 if available else 409)):
        line = {"variant_id": shown["id"], "quantity": quantity}
        assert (await client.post(f"{API}/cart/lines", json=line)).status_code == status

    assert shown["available"] == available


async def test_a_page_is_one_statement(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection, mug: Product
) -> None:
    await add_product(database, "Rack", *range(100, 150), slug="rack", pictures=[f"{place}.svg" for place in range(9)])

    for slug, variants in (("mug", 2), ("rack", 50)):
        with count_statements(connection) as statements:
            assert len((await client.get(f"{API}/products/{slug}")).json()["variants"]) == variants
        assert len(statements) == 1


# Conditional requests


async def test_the_etag_tells_the_version_and_what_the_page_shows(client: httpx.AsyncClient, mug: Product) -> None:
    response = await client.get(f"{API}/products/mug")

    assert re.fullmatch(r'"v1-[0-9a-f]{16}"', response.headers["etag"])
    assert response.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30"
    assert "Authorization" in response.headers["vary"]


@pytest.mark.parametrize("known", ["{etag}", "W/{etag}", "*", '"v0", {etag}', '"v0",W/{etag}'])
async def test_nothing_is_sent_twice(client: httpx.AsyncClient, mug: Product, known: str) -> None:
    etag = (await client.get(f"{API}/products/mug")).headers["etag"]
    response = await client.get(f"{API}/products/mug", headers={"If-None-Match": known.format(etag=etag)})

    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["etag"] == etag
    assert response.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30"


async def test_stock_that_moved_is_sent_although_the_version_is_the_same(
    client: httpx.AsyncClient, connection: AsyncConnection, mug: Product
) -> None:
    before = await client.get(f"{API}/products/mug")
    await connection.execute(update(StockLevel).where(StockLevel.variant_id == mug.variants[0].id).values(reserved=1))
    after = await client.get(f"{API}/products/mug", headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == 200
    assert after.json()["version"] == before.json()["version"]
    assert [variant["available"] for variant in after.json()["variants"]] == [4, 5]


async def test_the_public_etag_does_for_an_edit(client: httpx.AsyncClient, shop: Shop, mug: Product) -> None:
    etag = (await client.get(f"{API}/products/mug")).headers["etag"]
    staff = await signed_in(shop, Role.CATALOG)
    edited = await client.patch(f"{API}/products/mug", json={"summary": "x"}, headers={**staff, "If-Match": etag})

    assert (edited.status_code, edited.headers["etag"]) == (200, '"v2"')


@pytest.mark.parametrize("known", ['"v2"', "v1", '"v11"', "", '"', "W/"])
async def test_another_version_is_sent(client: httpx.AsyncClient, mug: Product, known: str) -> None:
    response = await client.get(f"{API}/products/mug", headers={"If-None-Match": known})

    assert response.status_code == 200
    assert response.json()["slug"] == "mug"


async def test_what_staff_see_is_not_for_shared_caches(client: httpx.AsyncClient, shop: Shop, mug: Product) -> None:
    response = await client.get(f"{API}/products/mug", headers=await signed_in(shop, Role.CATALOG))

    assert response.headers["cache-control"] == "private, no-cache"
