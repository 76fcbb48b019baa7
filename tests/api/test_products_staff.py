"""Staff write products: who may, what is checked, and that no edit overwrites another."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.database import Database
from app.errors import PreconditionFailed
from app.models.platform import OutboxEvent
from app.models.products import Product, ProductStatus
from app.models.users import Role
from app.schemas.examples import TEE
from app.schemas.products import ProductCreate, ProductRead, ProductUpdate
from app.services.products import ProductService
from app.shop import Shop
from tests.support.catalogue import API, add_category, add_product
from tests.support.shopping import signed_in

LONE_SURROGATE = '"\\ud800"'


@pytest.fixture
async def staff(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.CATALOG)


async def told(database: Database) -> list[str]:
    """The types of the events in the outbox, in their order."""
    async with database.snapshot() as tx:
        return list(await tx.session.scalars(select(OutboxEvent.type).order_by(OutboxEvent.position)))


async def count_products(database: Database) -> int:
    async with database.snapshot() as tx:
        return (await tx.session.execute(select(func.count()).select_from(Product))).scalar_one()


# Create


async def test_creating_a_product(client: httpx.AsyncClient, database: Database, staff: dict[str, str]) -> None:
    tees = await add_category(database, "tees")

    response = await client.post(f"{API}/products", json=TEE | {"category_ids": [str(tees.id)]}, headers=staff)

    assert response.status_code == 201
    created = response.json()
    assert response.headers["location"] == f"{API}/products/{created['id']}"
    assert response.headers["etag"] == '"v1"'
    assert created | {"category_ids": []} == created | TEE
    assert created["slug"] == "heavy-cotton-tee"
    assert created["categories"] == [{"id": str(tees.id), "slug": "tees", "name": "Tees"}]
    assert (created["variants"], created["media"], created["published_at"]) == ([], [], None)
    assert await told(database) == ["product.created"]
    assert (await client.get(f"{API}/products/heavy-cotton-tee")).status_code == 404
    assert (await client.get(response.headers["location"], headers=staff)).json() == created


async def test_a_product_may_be_for_sale_at_once(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    response = await client.post(f"{API}/products", json={"name": "Mug", "status": "active"}, headers=staff)

    assert response.status_code == 201
    assert response.json()["published_at"] is not None
    assert await told(database) == ["product.created", "product.published"]
    assert (await client.get(f"{API}/products/mug")).status_code == 200


async def test_a_slug_made_from_a_name_gives_way(client: httpx.AsyncClient, staff: dict[str, str]) -> None:
    slugs = [
        (await client.post(f"{API}/products", json={"name": name}, headers=staff)).json()["slug"]
        for name in ("Café Crème, 2 cups", "Cafe creme 2 cups!", "カップ", "---")
    ]

    assert slugs[0] == "cafe-creme-2-cups"
    assert slugs[1].startswith("cafe-creme-2-cups-")
    assert slugs[2] == "product"
    assert slugs[3].startswith("product-")


async def test_a_chosen_slug_does_not(client: httpx.AsyncClient, database: Database, staff: dict[str, str]) -> None:
    await add_product(database, "Mug", slug="mug")

    response = await client.post(f"{API}/products", json={"name": "Other mug", "slug": "mug"}, headers=staff)

    assert response.status_code == 409
    assert response.json()["code"] == "slug_taken"
    assert await count_products(database) == 1
    assert await told(database) == []


async def test_an_unknown_category_is_pointed_at(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    tees = await add_category(database, "tees")
    unknown = "00000000-0000-7000-8000-000000000000"

    response = await client.post(
        f"{API}/products", json={"name": "Mug", "category_ids": [str(tees.id), unknown]}, headers=staff
    )

    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"pointer": "/category_ids/1", "code": "unknown_category", "message": "there is no such category"}
    ]
    assert await count_products(database) == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("{}", "/name"),
        ('{"name": ""}', "/name"),
        ('{"name": null}', "/name"),
        ('{"name": "nul\\u0000"}', "/name"),
        (f'{{"name": {LONE_SURROGATE}}}', "/name"),
        (f'{{"name": "{"x" * 201}"}}', "/name"),
        ('{"name": "Mug", "slug": "Not a slug"}', "/slug"),
        ('{"name": "Mug", "status": "archived"}', "/status"),
        ('{"name": "Mug", "version": 7}', "/version"),
        ('{"name": "Mug", "attributes": {"a": NaN}}', "/attributes/a"),
        ('{"name": "Mug", "attributes": {"a": 1e999}}', "/attributes/a"),
        ('{"name": "Mug", "attributes": {"a": 9007199254740993}}', "/attributes/a"),
        ('{"name": "Mug", "attributes": {"a": {"b": 1}}}', "/attributes/a"),
        ('{"name": "Mug", "attributes": {"a": "\\u0000"}}', "/attributes/a"),
        ('{"name": "Mug", "attributes": {"\\u0000": 1}}', "/attributes/\x00"),
        ('{"name": "Mug", "options": [{"name": "Size", "values": []}]}', "/options/0/values"),
        ('{"name": "Mug", "options": [{"name": "Size", "values": ["S", "S"]}]}', "/options/0/values"),
        ('{"name": "Mug", "options": [{"name": "A", "values": ["S"]}, {"name": "A", "values": ["M"]}]}', "/options"),
        ('{"name": "Mug", "category_ids": ["x"]}', "/category_ids/0"),
    ],
)
async def test_a_wrong_product_is_refused(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], body: str, pointer: str
) -> None:
    response = await client.post(f"{API}/products", content=body, headers=staff | {"Content-Type": "application/json"})

    assert response.status_code == 422, response.text
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert await count_products(database) == 0


@pytest.mark.parametrize(
    ("body", "pointer", "code", "message"),
    [
        ({"a": "\x00"}, "/attributes/a", "value_error", "must not contain the NUL character"),
        ({"a": "x" * 501}, "/attributes/a", "string_too_long", "String should have at most 500 characters"),
        (
            {"a/b~": {}},
            "/attributes/a~1b~0",
            "wrong_type",
            "Input should be a valid string, boolean, integer, number or list",
        ),
        ({"a": ["x", 1]}, "/attributes/a/1", "string_type", "Input should be a valid string"),
        ({"": "x"}, "/attributes/", "string_too_short", "String should have at least 1 character"),
        ([], "/attributes", "dict_type", "Input should be a valid object"),
    ],
)
async def test_a_wrong_attribute_is_told_once_and_without_pydantics_insides(
    client: httpx.AsyncClient, staff: dict[str, str], body: object, pointer: str, code: str, message: str
) -> None:
    response = await client.post(f"{API}/products", json={"name": "Mug", "attributes": body}, headers=staff)

    assert response.json()["errors"] == [{"pointer": pointer, "code": code, "message": message}]


async def test_the_whole_document_is_the_empty_pointer(client: httpx.AsyncClient, staff: dict[str, str]) -> None:
    response = await client.post(f"{API}/products", json=[], headers=staff)

    [error] = response.json()["errors"]
    assert (error["pointer"], error["message"]) == ("", "Input should be a valid object")


@pytest.mark.parametrize("role", [None, Role.CUSTOMER, Role.SUPPORT, Role.WAREHOUSE, Role.ANALYST])
async def test_only_the_staff_of_the_catalogue_write(
    client: httpx.AsyncClient, shop: Shop, database: Database, role: Role | None
) -> None:
    product = await add_product(database, "Mug", 100, slug="mug")
    variant = product.variants[0]
    headers = {"If-Match": '"v1"'} | (await signed_in(shop, role) if role else {})

    responses = [
        await client.request(method, f"{API}/{path}", json={}, headers=headers)
        for method, path in (
            ("POST", "products"),
            ("PATCH", "products/mug"),
            ("DELETE", f"products/{product.id}"),
            ("POST", f"products/{product.id}/publish"),
            ("POST", f"products/{product.id}/archive"),
            ("POST", f"products/{product.id}/variants"),
            ("PATCH", f"variants/{variant.id}"),
            ("DELETE", f"variants/{variant.id}"),
            ("POST", "categories"),
            ("PATCH", "categories/mugs"),
            ("DELETE", "categories/mugs"),
        )
    ]

    assert {response.status_code for response in responses} == {401 if role is None else 403}
    assert (await client.get(f"{API}/products/mug")).json()["version"] == 1
    assert await told(database) == []


# Change


async def test_changing_a_product(client: httpx.AsyncClient, database: Database, staff: dict[str, str]) -> None:
    old, new = await add_category(database, "old"), await add_category(database, "new")
    await add_product(database, "Mug", slug="mug", summary="kept", categories=[old])

    response = await client.patch(
        f"{API}/products/mug",
        json={"name": "Cup", "slug": "cup", "attributes": {"a": 1}, "category_ids": [str(new.id)]},
        headers=staff | {"If-Match": '"v1"'},
    )

    assert response.status_code == 200
    assert response.headers["etag"] == '"v2"'
    changed = response.json()
    assert {field: changed[field] for field in ("name", "slug", "summary", "attributes", "version", "status")} == {
        "name": "Cup",
        "slug": "cup",
        "summary": "kept",
        "attributes": {"a": 1},
        "version": 2,
        "status": "active",
    }
    assert [category["slug"] for category in changed["categories"]] == ["new"]
    assert await told(database) == ["product.updated"]
    shown = ProductRead.model_validate((await client.get(f"{API}/products/cup")).json())
    assert shown == ProductRead.model_validate(changed)


@pytest.mark.parametrize(
    ("if_match", "status"),
    [(None, 428), ('"v2"', 412), ('"v0"', 412), ('"nonsense"', 412), ("", 412), ("nonsense", 400)],
)
async def test_an_edit_names_the_version_it_has_seen(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], if_match: str | None, status: int
) -> None:
    await add_product(database, "Mug", slug="mug")
    headers = staff | ({"If-Match": if_match} if if_match is not None else {})

    changed = await client.patch(f"{API}/products/mug", json={"name": "Cup"}, headers=headers)
    deleted = await client.delete(f"{API}/products/mug", headers=headers)

    assert (changed.status_code, deleted.status_code) == (status, status)
    assert (await client.get(f"{API}/products/mug")).json()["name"] == "Mug"
    assert await told(database) == []


@pytest.mark.parametrize("if_match", ["*", '"v9", "v1"', 'W/"v1"', '"v1-0123456789abcdef"'])
async def test_one_of_several_versions_is_enough_and_a_star_takes_any(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], if_match: str
) -> None:
    await add_product(database, "Mug", slug="mug")

    changed = await client.patch(f"{API}/products/mug", json={"name": "Cup"}, headers=staff | {"If-Match": if_match})

    assert (changed.status_code, changed.json()["name"]) == (200, "Cup")


async def test_of_two_editors_of_one_version_one_wins(fresh_shop: Shop) -> None:
    products: ProductService = fresh_shop.products
    mug = await products.create(ProductCreate(name="Mug"))

    async def rename(name: str) -> bool:
        try:
            await products.update(str(mug.id), frozenset({1}), ProductUpdate(name=name))
        except PreconditionFailed:
            return False
        return True

    won = await asyncio.gather(*(rename(f"Mug {number}") for number in range(8)))

    assert sum(won) == 1
    async with fresh_shop.database.snapshot() as tx:
        product = await tx.products.by_id(mug.id)
    assert product is not None
    assert (product.name, product.version) == (f"Mug {won.index(True)}", 2)


@pytest.mark.parametrize(
    "body",
    [{"name": None}, {"options": None}, {"price": 1}, {"id": "x"}, {"version": 9}, {"status": "archived"}, [], "x"],
)
async def test_a_wrong_change_is_refused(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], body: Any
) -> None:
    await add_product(database, "Mug", slug="mug")

    response = await client.patch(f"{API}/products/mug", json=body, headers=staff | {"If-Match": '"v1"'})

    assert response.status_code == 422
    assert (await client.get(f"{API}/products/mug")).json()["version"] == 1


async def test_a_slug_of_another_product_stays_with_it(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    await add_product(database, "Mug", slug="mug")
    await add_product(database, "Cup", slug="cup")

    response = await client.patch(f"{API}/products/cup", json={"slug": "mug"}, headers=staff | {"If-Match": '"v1"'})

    assert (response.status_code, response.json()["code"]) == (409, "slug_taken")
    assert (await client.get(f"{API}/products/cup")).json()["version"] == 1


async def test_options_stay_while_variants_for_sale_have_them(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    product = await add_product(database, "Mug", 100, 200, slug="mug")
    fewer = {"options": [{"name": "Kind", "values": ["0"]}]}

    refused = await client.patch(f"{API}/products/mug", json=fewer, headers=staff | {"If-Match": '"v1"'})
    await client.delete(f"{API}/variants/{product.variants[1].id}", headers=staff | {"If-Match": '"v1"'})
    accepted = await client.patch(f"{API}/products/mug", json=fewer, headers=staff | {"If-Match": '"v2"'})

    assert refused.status_code == 422
    assert refused.json()["errors"][0] == {
        "pointer": "/options",
        "code": "variants_do_not_fit",
        "message": f"do not fit the variants {product.variants[1].sku}; change or archive those first",
    }
    assert accepted.status_code == 200
    assert accepted.json()["options"] == fewer["options"]


# Publish, archive, delete


async def test_publishing_and_archiving(client: httpx.AsyncClient, database: Database, staff: dict[str, str]) -> None:
    mug = await add_product(database, "Mug", slug="mug", status=ProductStatus.DRAFT, published_at=None)

    async def post(action: str, **headers: str) -> httpx.Response:
        return await client.post(f"{API}/products/{mug.id}/{action}", headers=staff | headers)

    published, again = await post("publish"), await post("publish")
    stale = await post("archive", **{"If-Match": '"v1"'})
    archived = await post("archive", **{"If-Match": '"v2"'})
    stale_and_done = await post("archive", **{"If-Match": '"v2"'})
    restored = await post("publish")

    assert [response.status_code for response in (published, again, archived, restored)] == [200] * 4
    assert [response.headers["etag"] for response in (published, again, archived, restored)] == [
        '"v2"',
        '"v2"',
        '"v3"',
        '"v4"',
    ]
    assert (stale.status_code, stale_and_done.status_code) == (412, 412)
    assert [response.json()["status"] for response in (published, archived, restored)] == [
        "active",
        "archived",
        "active",
    ]
    assert restored.json()["published_at"] == published.json()["published_at"] is not None
    assert await told(database) == ["product.published", "product.archived", "product.published"]


async def test_a_product_that_never_had_a_variant_is_deleted(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    await add_product(database, "Mug", slug="mug", categories=[await add_category(database, "mugs")])

    response = await client.delete(f"{API}/products/mug", headers=staff | {"If-Match": '"v1"'})

    assert (response.status_code, response.content) == (204, b"")
    assert await count_products(database) == 0
    assert (await client.get(f"{API}/products/mug", headers=staff)).status_code == 404
    assert await told(database) == ["product.archived"]


async def test_any_other_product_is_archived(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    await add_product(database, "Mug", 100, slug="mug")

    response = await client.delete(f"{API}/products/mug", headers=staff | {"If-Match": '"v1"'})

    assert response.status_code == 204
    assert (await client.get(f"{API}/products/mug")).status_code == 404
    assert (await client.get(f"{API}/products/mug", headers=staff)).json()["status"] == "archived"
    assert await told(database) == ["product.archived"]


@pytest.mark.parametrize("action", ["publish", "archive", "variants"])
async def test_nothing_is_done_to_an_unknown_product(
    client: httpx.AsyncClient, staff: dict[str, str], action: str
) -> None:
    response = await client.post(
        f"{API}/products/00000000-0000-7000-8000-000000000000/{action}",
        json={"sku": "X", "price": {"amount": 1, "currency": "EUR"}},
        headers=staff,
    )

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
