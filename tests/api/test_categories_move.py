"""Categories hang elsewhere: paths and lists follow, and no two moves tie the tree into a knot."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.errors import CategoryCycle
from app.models.categories import DEEPEST, Category
from app.models.listings import Listing
from app.models.users import Role
from app.schemas.categories import CategoryCreate, CategoryMove, CategoryRead
from app.schemas.products import ProductCreate, ProductUpdate
from app.shop import Shop
from tests.support.catalogue import API, add_category, add_product, names
from tests.support.problems import problem_of
from tests.support.shopping import signed_in
from tests.support.statements import count_statements

Tree = dict[str, Category]


@pytest.fixture
async def staff(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.CATALOG)


@pytest.fixture
async def tree(database: Database) -> Tree:
    """home/kitchen/mugs, home-office, garden"""
    home = await add_category(database, "home")
    kitchen = await add_category(database, "home/kitchen", home, position=3)
    mugs = await add_category(database, "home/kitchen/mugs", kitchen)
    office, garden = [await add_category(database, path) for path in ("home-office", "garden")]
    return {category.slug: category for category in (home, kitchen, mugs, office, garden)}


async def move(
    client: httpx.AsyncClient, staff: dict[str, str], slug: str, parent: Category | None, **body: Any
) -> httpx.Response:
    return await client.post(
        f"{API}/categories/{slug}/move",
        json={"parent_id": str(parent.id) if parent else None, **body},
        headers={"If-Match": '"v1"'} | staff,
    )


async def rows(database: Database) -> set[tuple[str, str | None, int]]:
    """The path, the parent's path and the version of each category."""
    async with database.snapshot() as tx:
        found = (await tx.session.scalars(select(Category).execution_options(populate_existing=True))).all()
    path_of = {category.id: category.path for category in found}
    return {
        (category.path, path_of[category.parent_id] if category.parent_id else None, category.version)
        for category in found
    }


async def test_a_subtree_moves_below_another_category(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tree: Tree
) -> None:
    response = await move(client, staff, "kitchen", tree["garden"])

    assert response.status_code == 200
    assert response.headers["etag"] == '"v2"'
    kitchen = response.json()
    assert kitchen["path"] == "garden/kitchen"
    assert kitchen["parent_id"] == str(tree["garden"].id)
    assert (kitchen["position"], kitchen["version"]) == (3, 2)
    assert [ancestor["slug"] for ancestor in kitchen["ancestors"]] == ["garden"]
    assert [child["path"] for child in kitchen["children"]] == ["garden/kitchen/mugs"]
    assert (await client.get(f"{API}/categories/kitchen")).json() == kitchen
    assert await rows(database) == {
        ("home", None, 1),
        ("home-office", None, 1),
        ("garden", None, 1),
        ("garden/kitchen", "garden", 2),
        ("garden/kitchen/mugs", "garden/kitchen", 1),
    }


async def test_a_subtree_becomes_a_root_at_a_place_of_its_own(
    client: httpx.AsyncClient, staff: dict[str, str], tree: Tree
) -> None:
    response = await move(client, staff, str(tree["kitchen"].id), None, position=0)

    assert response.status_code == 200
    moved = response.json()
    assert (moved["path"], moved["parent_id"], moved["position"], moved["ancestors"]) == ("kitchen", None, 0, [])
    assert [child["path"] for child in moved["children"]] == ["kitchen/mugs"]
    roots = (await client.get(f"{API}/categories")).json()["data"]
    assert [root["slug"] for root in roots] == ["garden", "home", "home-office", "kitchen"]


async def test_lists_find_the_products_below_the_new_place_only(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tree: Tree
) -> None:
    await add_product(database, "Mug", 100, categories=[tree["mugs"]])
    await add_product(database, "Pan", 100, categories=[tree["kitchen"]])
    await add_product(database, "Both", 100, categories=[tree["mugs"], tree["home"]])
    await add_product(database, "Desk", 100, categories=[tree["home-office"]])
    assert set(await names(client, category="home")) == {"Mug", "Pan", "Both"}
    assert await names(client, category="garden") == []

    await move(client, staff, "kitchen", tree["garden"])

    assert set(await names(client, category="garden")) == {"Mug", "Pan", "Both"}
    assert await names(client, category="home") == ["Both"]
    assert set(await names(client, category="kitchen")) == {"Mug", "Pan", "Both"}
    assert set(await names(client, category="mugs")) == {"Mug", "Both"}
    assert await names(client, category="home-office") == ["Desk"]


async def test_products_that_show_the_category_have_a_new_version(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tree: Tree
) -> None:
    await add_product(database, "Pan", slug="pan", categories=[tree["kitchen"]])
    await add_product(database, "Desk", slug="desk", categories=[tree["home-office"]])

    await move(client, staff, "kitchen", tree["garden"])

    assert (await client.get(f"{API}/products/pan")).json()["version"] == 2
    assert (await client.get(f"{API}/products/desk")).json()["version"] == 1


async def test_among_its_siblings_only_the_place_changes(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tree: Tree
) -> None:
    await add_product(database, "Pan", slug="pan", categories=[tree["kitchen"]])

    response = await move(client, staff, "kitchen", tree["home"], position=9)

    assert response.status_code == 200
    assert (response.json()["path"], response.json()["position"]) == ("home/kitchen", 9)
    assert (await client.get(f"{API}/products/pan")).json()["version"] == 1


@pytest.mark.parametrize(("slug", "parent"), [("home", "home"), ("home", "kitchen"), ("home", "mugs")])
async def test_no_category_comes_below_itself(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tree: Tree, slug: str, parent: str
) -> None:
    before = await rows(database)

    assert problem_of(await move(client, staff, slug, tree[parent]))["code"] == "category_cycle"

    assert await rows(database) == before


async def test_a_name_that_only_begins_alike_is_no_relative(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tree: Tree
) -> None:
    assert (await move(client, staff, "home", tree["home-office"])).status_code == 200

    assert {path for path, *_ in await rows(database)} == {
        "garden",
        "home-office",
        "home-office/home",
        "home-office/home/kitchen",
        "home-office/home/kitchen/mugs",
    }


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/parent_id", "missing"),
        ({"parent_id": "garden"}, "/parent_id", "uuid_parsing"),
        ({"parent_id": "00000000-0000-7000-8000-000000000000"}, "/parent_id", "unknown_category"),
        ({"parent_id": None, "position": -1}, "/position", "greater_than_equal"),
        ({"parent_id": None, "position": "1"}, "/position", "int_type"),
        ({"parent_id": None, "position": None}, "/position", "int_type"),
        ({"parent_id": None, "slug": "x"}, "/slug", "extra_forbidden"),
    ],
)
async def test_a_wrong_move_is_refused(
    client: httpx.AsyncClient,
    database: Database,
    staff: dict[str, str],
    tree: Tree,
    body: dict[str, Any],
    pointer: str,
    code: str,
) -> None:
    before = await rows(database)

    response = await client.post(f"{API}/categories/kitchen/move", json=body, headers=staff | {"If-Match": '"v1"'})

    problem = problem_of(response)
    assert problem["status"] == 422
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    assert await rows(database) == before


@pytest.mark.parametrize(("if_match", "status"), [(None, 428), ('"v2"', 412)])
async def test_a_move_names_the_version_it_has_seen(
    client: httpx.AsyncClient,
    database: Database,
    staff: dict[str, str],
    tree: Tree,
    if_match: str | None,
    status: int,
) -> None:
    before = await rows(database)
    headers = staff | ({"If-Match": if_match} if if_match else {})

    response = await client.post(f"{API}/categories/kitchen/move", json={"parent_id": None}, headers=headers)

    assert problem_of(response)["status"] == status
    assert await rows(database) == before


async def test_an_unknown_category_is_not_moved(client: httpx.AsyncClient, staff: dict[str, str]) -> None:
    assert problem_of(await move(client, staff, "unheard-of", None))["code"] == "not_found"


@pytest.mark.parametrize("role", [None, Role.CUSTOMER, Role.SUPPORT, Role.WAREHOUSE, Role.ANALYST])
async def test_only_the_staff_of_the_catalogue_move(
    client: httpx.AsyncClient, shop: Shop, database: Database, tree: Tree, role: Role | None
) -> None:
    before = await rows(database)

    response = await move(client, await signed_in(shop, role) if role else {}, "kitchen", None)

    assert response.status_code == (403 if role else 401)
    assert await rows(database) == before


async def test_the_tree_has_a_deepest_level(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tree: Tree
) -> None:
    levels = ["level-1"]
    category = await add_category(database, "level-1")
    for level in range(2, DEEPEST):
        levels.append(f"level-{level}")
        category = await add_category(database, "/".join(levels), category)
    fits, does_not = await move(client, staff, "garden", category), await move(client, staff, "kitchen", category)

    assert fits.json()["path"].count("/") == DEEPEST - 1
    assert problem_of(does_not)["errors"][0]["code"] == "too_deep"
    below = {"name": "Deeper", "parent_id": str(tree["garden"].id)}
    refused = await client.post(f"{API}/categories", json=below, headers=staff)
    assert [(error["pointer"], error["code"]) for error in problem_of(refused)["errors"]] == [
        ("/parent_id", "too_deep")
    ]
    assert (await client.get(f"{API}/categories")).status_code == 200


async def test_a_large_subtree_takes_no_more_statements_than_a_small_one(
    client: httpx.AsyncClient, connection: AsyncConnection, database: Database, staff: dict[str, str], tree: Tree
) -> None:
    counts = []
    for slug, new in (("kitchen", 0), ("garden", 50)):
        for number in range(new):
            child = await add_category(database, f"garden/child-{number}", tree["garden"])
            await add_product(database, f"Child {number}", 100, categories=[child, tree["garden"]])
        with count_statements(connection) as statements:
            assert (await move(client, staff, slug, tree["home-office"])).status_code == 200
        counts.append(len(statements))

    assert counts[0] == counts[1]


# At the same time


async def test_of_two_moves_in_opposite_directions_one_is_refused(fresh_shop: Shop) -> None:
    categories = fresh_shop.categories

    async def moved(category: CategoryRead, below: CategoryRead) -> bool:
        try:
            await categories.move(category.slug, frozenset({1}), CategoryMove(parent_id=below.id))
        except CategoryCycle:
            return False
        return True

    for number in range(5):
        one, other = [
            await categories.create(CategoryCreate(name=name, slug=f"{name}-{number}")) for name in ("one", "other")
        ]

        won = await asyncio.gather(moved(one, other), moved(other, one))

        assert sorted(won) == [False, True]
        below, above = (one.slug, other.slug) if won[0] else (other.slug, one.slug)
        shown = await categories.detail(below)
        assert (shown.path, shown.version) == (f"{above}/{below}", 2)
        assert (await categories.detail(above)).path == above


async def test_products_edited_and_put_in_while_their_category_moves_are_found_at_its_new_place(
    fresh_shop: Shop,
) -> None:
    categories, products = fresh_shop.categories, fresh_shop.products
    old, new = [await categories.create(CategoryCreate(name=name)) for name in ("Old", "New")]
    moving = await categories.create(CategoryCreate(name="Moving", parent_id=old.id))
    below = await categories.create(CategoryCreate(name="Below", parent_id=moving.id))
    edits = []
    for number in range(4):
        inside = await products.create(ProductCreate(name=f"Mug {number}", status="active", category_ids=[below.id]))
        edits.append(products.update(str(inside.id), frozenset({1}), ProductUpdate(name="Cup")))
        outside = await products.create(ProductCreate(name=f"Pan {number}", status="active"))
        edits.append(
            products.update(str(outside.id), frozenset({1}), ProductUpdate(name="Pot", category_ids=[moving.id]))
        )

    await asyncio.gather(
        *edits[:4], categories.move("moving", frozenset({1}), CategoryMove(parent_id=new.id)), *edits[4:]
    )

    slugs = select(Listing.folded_name, Listing.category_slugs).order_by(Listing.folded_name)
    async with fresh_shop.database.snapshot() as tx:
        assert (await tx.session.execute(slugs)).all() == [
            *[("cup", ["below", "moving", "new"])] * 4,
            *[("pot", ["moving", "new"])] * 4,
        ]
