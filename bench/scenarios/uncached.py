"""Thousands of addresses in turns, against the service without its response cache."""

import asyncio
import json

import asyncpg

from app.core.pagination import CursorSigner, Position
from app.dev.seed import DEMO_PASSWORD
from app.schemas.listings import ProductQuery
from bench.messages import API, fetch_json, get, send, sign_in
from bench.scenarios.stage import COMPARED, Scenario, Stage, get_all, must_equal

PAGE = 20
DEEP_PAGE = 4_500
PAGES_APART = 200  # so many first pages, and as many deep ones: equal requests could share one query


def uncached_detail(stage: Stage) -> Scenario:
    around, slugs = stage.surroundings, stage.catalogue.slugs
    for slug in slugs[:COMPARED]:
        must_equal(
            fetch_json(around.uncached_api, f"{API}/products/{slug}"), fetch_json(around.floors, f"/detail/{slug}")
        )
    return Scenario(
        service=stage.reads(around.uncached_api, get_all(slugs, f"{API}/products/")),
        floor=stage.reads(around.floors, get_all(slugs, "/detail/")),
    )


def uncached_list(stage: Stage) -> Scenario:
    """Pages of twenty of a category above a price, the cheapest first."""
    around, queries = stage.surroundings, stage.catalogue.lists
    for query in queries[:COMPARED]:
        service = fetch_json(around.uncached_api, f"{API}/products?{query}")
        must_equal(service["data"], fetch_json(around.floors, f"/list?{query}")["data"])
    return Scenario(
        service=stage.reads(around.uncached_api, get_all(queries, f"{API}/products?")),
        floor=stage.reads(around.floors, get_all(queries, "/list?")),
    )


def search_facets(stage: Stage) -> Scenario:
    """The twenty most relevant of what two words find, and what further filters would leave of it."""
    around, queries = stage.surroundings, stage.catalogue.searches
    for query in queries[:COMPARED]:
        service = fetch_json(around.uncached_api, f"{API}/products?{query}")
        floor = fetch_json(around.floors, f"/search?{query}")
        must_equal((service["data"], service["facets"]), (floor["data"], floor["facets"]))
    return Scenario(
        service=stage.reads(around.uncached_api, get_all(queries, f"{API}/products?")),
        floor=stage.reads(around.floors, get_all(queries, "/search?")),
    )


def deep_page(stage: Stage) -> Scenario:
    """Page 4 500 of the newest products by its cursor, against page 1 of the same list."""
    around = stage.surroundings
    depth = min(DEEP_PAGE, stage.catalogue.products // PAGE)
    before, first = asyncio.run(_around_row(around.database_url, PAGE * (depth - 1)))
    signer = CursorSigner(around.secret_key)
    queries = [ProductQuery.model_validate({"price[gte]": price}) for price in range(PAGES_APART)]
    shallow = [f"{API}/products?price[gte]={query.price_gte}" for query in queries]
    deep = [
        f"{page}&cursor={signer.sign(Position(before), query.bound())}"
        for page, query in zip(shallow, queries, strict=True)
    ]
    must_equal(fetch_json(around.uncached_api, deep[0])["data"][0]["id"], first)
    return Scenario(
        service=stage.reads(around.uncached_api, [get(path) for path in deep]),
        floor=stage.reads(around.uncached_api, [get(path) for path in shallow]),
    )


def authenticated_read(stage: Stage) -> Scenario:
    """Products' pages for signed-in customers, against the same pages for anybody."""
    api = stage.surroundings.uncached_api
    tokens = [
        json.loads(send(api, sign_in(email, DEMO_PASSWORD)).body)["access_token"] for email in stage.catalogue.customers
    ]
    paths = [f"{API}/products/{slug}" for slug in stage.catalogue.slugs]
    signed_in = [get(path, Authorization=f"Bearer {tokens[number % len(tokens)]}") for number, path in enumerate(paths)]
    return Scenario(
        service=stage.reads(api, signed_in),
        floor=stage.reads(api, [get(path) for path in paths]),
    )


async def _around_row(database_url: str, offset: int) -> tuple[tuple[str, str], str]:
    """The place of the last of `offset` products, newest first, and the id of the one after it."""
    connection = await asyncpg.connect(database_url)
    try:
        last, following = await connection.fetch(
            "SELECT created_at, id::text FROM products WHERE status = 'active' "
            "ORDER BY created_at DESC, id DESC LIMIT 2 OFFSET $1",
            offset - 1,
        )
    finally:
        await connection.close()
    return (last["created_at"].isoformat(), last["id"]), following["id"]
