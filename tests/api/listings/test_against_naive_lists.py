"""Every list is what a slow and simple program says: each filter, sort, page and facet, on catalogues of chance."""

from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any

import httpx
import pytest

from app.database import Database
from app.repositories.listings import facets, pages
from tests.support.catalogue import API
from tests.support.naive_lists import SORTS, Item, Wanted, stock_catalogue, wanted

SIZE = 120
LISTS = 40


@pytest.fixture(params=[1, 2])
def random(request: pytest.FixtureRequest) -> Random:
    return Random(request.param)  # noqa: S311  # the same catalogue every time is the purpose


@pytest.fixture
async def items(database: Database, random: Random) -> list[Item]:
    return await stock_catalogue(database, random, SIZE)


@pytest.fixture(params=["a long walk", "a short walk"])
def walk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages are found along the way, or not and then by the indexes: short enough a walk ends before the page does."""
    if request.param == "a short walk":
        monkeypatch.setattr(pages, "WALKED", 7)
        monkeypatch.setattr(pages, "WALKED_FOR_WORDS", 4)
        pages.listing.cache_clear()
    yield
    pages.listing.cache_clear()


async def page(client: httpx.AsyncClient, **parameters: Any) -> dict[str, Any]:
    response = await client.get(f"{API}/products", params=parameters)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def walked(client: httpx.AsyncClient, towards: str, cursor: str | None, **parameters: Any) -> AsyncIterator[Any]:
    """The pages from a cursor on, or from the first one."""
    for _ in range(SIZE):
        found = await page(client, **parameters, **({} if cursor is None else {"cursor": cursor}))
        yield found
        cursor = found["page"][f"{towards}_cursor"]
        if cursor is None:
            return
    pytest.fail("the list does not end")


def ids(found: dict[str, Any]) -> list[str]:
    return [card["id"] for card in found["data"]]


async def test_lists(client: httpx.AsyncClient, items: list[Item], random: Random, walk: None) -> None:
    for number in range(LISTS):
        asked, sort, limit = wanted(random), SORTS[number % len(SORTS)], random.choice((3, 10, 100))
        expected = asked.answer(items, sort)
        parameters = {**asked.parameters(), "sort": sort, "limit": limit}

        forwards = [found async for found in walked(client, "next", None, **parameters)]
        last = forwards[-1]["page"]["prev_cursor"]
        backwards = [found async for found in walked(client, "prev", last, **parameters)] if last else []

        assert [each for found in forwards for each in ids(found)] == expected, parameters
        before_the_last = expected[: -len(ids(forwards[-1]))] if last else []
        assert [each for found in reversed(backwards) for each in ids(found)] == before_the_last, parameters
        total = await page(client, **parameters, include_total=True)
        assert total["page"]["total"] == len(expected)


@pytest.mark.parametrize("sort", SORTS)
async def test_what_comes_and_goes_between_pages_does_no_harm(
    client: httpx.AsyncClient, database: Database, items: list[Item], sort: str
) -> None:
    """Whoever is there from the first page to the last is seen once."""
    before = Wanted().answer(items, sort)
    seen: list[str] = []
    cursor: str | None = None
    leaving = items[::5]
    while True:
        found = await page(client, sort=sort, limit=9, **({"cursor": cursor} if cursor else {}))
        seen += ids(found)
        cursor = found["page"]["next_cursor"]
        if cursor is None:
            break
        if leaving:
            gone = leaving.pop()
            async with database.transaction() as tx:
                product = await tx.products.claim(gone.id)
                product.status = "archived"
                await tx.products.flush()

    stayed = [item for item in before if item not in {str(item.id) for item in items[::5]}]
    assert [each for each in seen if each in set(stayed)] == stayed
    assert len(set(seen)) == len(seen)


async def test_facets(client: httpx.AsyncClient, items: list[Item], random: Random) -> None:
    for _ in range(LISTS):
        asked = wanted(random)

        found = await page(client, **asked.parameters(), facets=True, limit=1)

        assert found["facets"] == asked.facets(items), asked.parameters()


async def test_the_facets_of_much_are_capped(
    client: httpx.AsyncClient, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "MOST_COUNTED", 20)
    facets.facets.cache_clear()
    try:
        everything = (await page(client, facets=True))["facets"]
        red = (await page(client, facets=True, **{"attr.color": "green", "category": "mugs"}))["facets"]
    finally:
        facets.facets.cache_clear()

    assert everything["categories"]["capped"]
    assert everything["attributes"]["color"]["capped"]
    assert sum(value["count"] for value in everything["availability"]["values"]) == 21
    assert not red["rating"]["capped"]


async def test_relevance_leads_through_all_matches_and_back(client: httpx.AsyncClient, items: list[Item]) -> None:
    expected = set(Wanted(q="kettle").answer(items, "name"))
    assert len(expected) > 10

    forwards = [found async for found in walked(client, "next", None, q="kettle", limit=4)]
    last = forwards[-1]["page"]["prev_cursor"]
    backwards = [found async for found in walked(client, "prev", last, q="kettle", limit=4)]

    there = [each for found in forwards for each in ids(found)]
    assert set(there) == expected
    assert len(there) == len(expected)
    back = [each for found in reversed(backwards) for each in ids(found)]
    assert back == there[: -len(ids(forwards[-1]))]


async def test_of_a_word_found_everywhere_some_are_ranked_and_the_best_selling_among_them(
    client: httpx.AsyncClient, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_RANKED", 2)
    monkeypatch.setattr(pages, "BEST_SELLING", 40)
    pages.listing.cache_clear()
    try:
        found = set(ids(await page(client, q="kettle", limit=100)))
    finally:
        pages.listing.cache_clear()

    kettles = Wanted(q="kettle").answer(items, "bestseller")
    best_selling = set(Wanted().answer(items, "bestseller")[:40])
    assert {kettle for kettle in kettles if kettle in best_selling} <= found <= set(kettles)
    assert len(found) < len(kettles)
