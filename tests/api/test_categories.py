"""The tree of categories: read by everyone, changed by the catalogue's staff."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.categories import Category
from app.models.users import Role
from app.schemas.categories import CategoryCreate, CategoryUpdate
from app.shop import Shop
from tests.support.catalogue import API, add_category, add_product
from tests.support.shopping import signed_in
from tests.support.statements import count_statements


@pytest.fixture
async def staff(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.CATALOG)


@pytest.fixture
async def home(database: Database) -> Category:
    home = await add_category(database, "home", position=1)
    kitchen = await add_category(database, "home/kitchen", home, position=2)
    await add_category(database, "home/kitchen/mugs", kitchen)
    await add_category(database, "home/garden", home, position=1)
    await add_category(database, "home-office")
    return home


async def paths(database: Database) -> set[str]:
    async with database.snapshot() as tx:
        return set(await tx.session.scalars(select(Category.path)))


def shape(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {node["slug"]: shape(node["children"]) for node in nodes}


async def test_the_tree(client: httpx.AsyncClient, home: Category) -> None:
    response = await client.get(f"{API}/categories")

    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30"
    tree = response.json()["data"]
    assert shape(tree) == {"home-office": {}, "home": {"garden": {}, "kitchen": {"mugs": {}}}}
    assert list(shape(tree)) == ["home-office", "home"]
    assert list(shape(tree)["home"]) == ["garden", "kitchen"]
    assert tree[0] == {
        "id": tree[0]["id"],
        "slug": "home-office",
        "name": "Home-Office",
        "path": "home-office",
        "children": [],
    }


async def test_an_empty_tree(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{API}/categories")).json() == {"data": []}


async def test_a_category_between_its_relatives(client: httpx.AsyncClient, home: Category) -> None:
    response = await client.get(f"{API}/categories/kitchen")

    assert response.status_code == 200
    assert response.headers["etag"].startswith('"v1-')
    kitchen = response.json()
    assert kitchen == {
        "id": kitchen["id"],
        "slug": "kitchen",
        "name": "Kitchen",
        "path": "home/kitchen",
        "parent_id": str(home.id),
        "position": 2,
        "ancestors": [{"id": str(home.id), "slug": "home", "name": "Home"}],
        "children": [
            {
                "id": kitchen["children"][0]["id"],
                "slug": "mugs",
                "name": "Mugs",
                "path": "home/kitchen/mugs",
                "children": [],
            }
        ],
        "version": 1,
    }
    assert (await client.get(f"{API}/categories/{kitchen['id']}")).json() == kitchen
    mugs = (await client.get(f"{API}/categories/mugs")).json()
    assert [ancestor["slug"] for ancestor in mugs["ancestors"]] == ["home", "kitchen"]
    assert shape((await client.get(f"{API}/categories/home")).json()["children"]) == {
        "garden": {},
        "kitchen": {"mugs": {}},
    }


@pytest.mark.parametrize("address", ["unheard-of", "00000000-0000-7000-8000-000000000000", "%25", "a%00", "HOME"])
async def test_an_unknown_category_is_not_found(client: httpx.AsyncClient, home: Category, address: str) -> None:
    response = await client.get(f"{API}/categories/{address}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_reading_is_one_statement_however_many(
    client: httpx.AsyncClient, connection: AsyncConnection, database: Database, home: Category
) -> None:
    counts = []
    for extra in (0, 45):
        for number in range(extra):
            await add_category(database, f"home/child-{number}", home)
        with count_statements(connection) as statements:
            await client.get(f"{API}/categories")
            await client.get(f"{API}/categories/home")
        counts.append(len(statements))

    assert counts == [2, 2]


# Create


async def test_creating_a_leaf(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], home: Category
) -> None:
    response = await client.post(
        f"{API}/categories", json={"name": "Bed & Bath", "parent_id": str(home.id), "position": 3}, headers=staff
    )

    assert response.status_code == 201
    assert response.headers["location"] == f"{API}/categories/bed-bath"
    assert response.headers["etag"] == '"v1"'
    assert response.json() | {"id": None} == {
        "id": None,
        "slug": "bed-bath",
        "name": "Bed & Bath",
        "path": "home/bed-bath",
        "parent_id": str(home.id),
        "position": 3,
        "ancestors": [{"id": str(home.id), "slug": "home", "name": "Home"}],
        "children": [],
        "version": 1,
    }


async def test_a_slug_made_from_a_name_gives_way_and_a_chosen_one_does_not(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], home: Category
) -> None:
    made = await client.post(f"{API}/categories", json={"name": "Home"}, headers=staff)
    before = await paths(database)
    chosen = await client.post(f"{API}/categories", json={"name": "Home", "slug": "home"}, headers=staff)

    assert made.json()["slug"].startswith("home-")
    assert (chosen.status_code, chosen.json()["code"]) == (409, "slug_taken")
    assert await paths(database) == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "Mugs", "slug": "a/b"}, "/slug"),
        ({"name": "Mugs", "slug": "%"}, "/slug"),
        ({"name": "Mugs", "position": -1}, "/position"),
        ({"name": "Mugs", "path": "home/mugs"}, "/path"),
        ({"name": "Mugs", "parent_id": "home"}, "/parent_id"),
        ({"name": "Mugs", "parent_id": "00000000-0000-7000-8000-000000000000"}, "/parent_id"),
    ],
)
async def test_a_wrong_category_is_refused(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], body: dict[str, Any], pointer: str
) -> None:
    response = await client.post(f"{API}/categories", json=body, headers=staff)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert await paths(database) == set()


# Change


async def test_a_new_slug_moves_the_whole_subtree(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], home: Category
) -> None:
    response = await client.patch(
        f"{API}/categories/home", json={"slug": "living", "name": "Living"}, headers=staff | {"If-Match": '"v1"'}
    )

    assert response.status_code == 200
    assert response.headers["etag"] == '"v2"'
    assert response.json()["path"] == "living"
    assert await paths(database) == {
        "living",
        "living/kitchen",
        "living/kitchen/mugs",
        "living/garden",
        "home-office",
    }


async def test_products_show_the_new_name(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], home: Category
) -> None:
    await add_product(database, "Lamp", slug="lamp", categories=[home])
    await add_product(database, "Desk", slug="desk")

    await client.patch(f"{API}/categories/home", json={"name": "Dwelling"}, headers=staff | {"If-Match": '"v1"'})

    lamp = (await client.get(f"{API}/products/lamp")).json()
    assert (lamp["version"], lamp["categories"][0]["name"]) == (2, "Dwelling")
    assert (await client.get(f"{API}/products/desk")).json()["version"] == 1


async def test_a_slug_that_is_taken_changes_nothing(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], home: Category
) -> None:
    before = await paths(database)

    response = await client.patch(f"{API}/categories/home", json={"slug": "mugs"}, headers=staff | {"If-Match": '"v1"'})

    assert (response.status_code, response.json()["code"]) == (409, "slug_taken")
    assert await paths(database) == before


@pytest.mark.parametrize(("if_match", "status"), [(None, 428), ('"v2"', 412)])
async def test_an_edit_names_the_version_it_has_seen(
    client: httpx.AsyncClient,
    database: Database,
    staff: dict[str, str],
    home: Category,
    if_match: str | None,
    status: int,
) -> None:
    headers = staff | ({"If-Match": if_match} if if_match else {})
    before = await paths(database)

    changed = await client.patch(f"{API}/categories/mugs", json={"slug": "cups"}, headers=headers)
    deleted = await client.delete(f"{API}/categories/mugs", headers=headers)

    assert (changed.status_code, deleted.status_code) == (status, status)
    assert await paths(database) == before


async def test_the_tree_keeps_its_shape_when_many_change_it(fresh_shop: Shop) -> None:
    categories = fresh_shop.categories
    root = await categories.create(CategoryCreate(name="Root"))
    child = await categories.create(CategoryCreate(name="Child", parent_id=root.id))

    await asyncio.gather(
        categories.update("root", frozenset({1}), CategoryUpdate(slug="trunk")),
        *(categories.create(CategoryCreate(name=f"Leaf {number}", parent_id=child.id)) for number in range(10)),
    )

    assert await paths(fresh_shop.database) == {
        "trunk",
        "trunk/child",
        *(f"trunk/child/leaf-{number}" for number in range(10)),
    }


# Delete


async def test_only_an_empty_category_is_deleted(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], home: Category
) -> None:
    garden = (await client.get(f"{API}/categories/garden")).json()
    async with database.snapshot() as tx:
        row = await tx.categories.by_id(garden["id"])
    assert row is not None
    await add_product(database, "Rake", categories=[row])

    results = {
        slug: await client.delete(f"{API}/categories/{slug}", headers=staff | {"If-Match": '"v1"'})
        for slug in ("kitchen", "garden", "mugs")
    }

    assert {slug: response.status_code for slug, response in results.items()} == {
        "kitchen": 409,
        "garden": 409,
        "mugs": 204,
    }
    assert results["kitchen"].json()["code"] == results["garden"].json()["code"] == "category_not_empty"
    assert await paths(database) == {"home", "home/kitchen", "home/garden", "home-office"}
