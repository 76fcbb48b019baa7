"""Finding things by words: with accents or without, mistyped, by what they are made of."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.products import ProductStatus
from tests.support.catalogue import API, add_category, add_product, names
from tests.support.statements import count_statements


@pytest.fixture
async def _shelf(database: Database) -> None:
    await add_product(database, "Gooseneck kettle", 5000, day=1)
    await add_product(database, "Café au lait bowl", 1500, day=2, summary="For a crème, too")
    await add_product(
        database, "Over-ear headphones", 9900, day=3, attributes={"material": "leather", "bluetooth": True}
    )
    await add_product(database, "Kettle", 100, day=4, status=ProductStatus.DRAFT)


@pytest.mark.usefixtures("_shelf")
@pytest.mark.parametrize("q", ["cafe", "Café", "CAFÉ", "creme", "crème brulee or bowls", '"cafe au lait"'])
async def test_accents_make_no_difference(client: httpx.AsyncClient, q: str) -> None:
    assert await names(client, q=q) == ["Café au lait bowl"]


async def test_a_thing_is_found_by_its_categories_and_its_number(client: httpx.AsyncClient, database: Database) -> None:
    kitchen = await add_category(database, "kitchen")
    teas = await add_category(database, "kitchen/teas", kitchen)
    sencha = await add_product(database, "Sencha", 900, 1700, categories=[teas])
    await add_product(database, "Teas and how to brew them", 1200)

    assert await names(client, q="tea") == ["Teas and how to brew them", "Sencha"]
    assert await names(client, q="kitchen") == ["Sencha"]
    assert await names(client, q=sencha.variants[1].sku.lower()) == ["Sencha"]


@pytest.mark.usefixtures("_shelf")
async def test_what_a_thing_is_made_of_is_found(client: httpx.AsyncClient) -> None:
    assert await names(client, q="leather headphones") == ["Over-ear headphones"]


@pytest.mark.usefixtures("_shelf")
@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("kettel", "Gooseneck kettle"),
        ("goosneck", "Gooseneck kettle"),
        ("kett", "Gooseneck kettle"),
        ("hedphones", "Over-ear headphones"),
        ("headfones", "Over-ear headphones"),
        ("cafè au lit bowl", "Café au lait bowl"),
    ],
)
async def test_a_mistyped_word_is_understood(client: httpx.AsyncClient, q: str, found: str) -> None:
    assert (await names(client, q=q))[0] == found
    assert found in await names(client, q=q, sort="price")
    response = await client.get(f"{API}/products", params={"q": q, "include_total": True, "facets": True})
    assert response.json()["page"]["total"] == len(response.json()["data"])
    in_stock = response.json()["facets"]["availability"]["values"][0]
    assert in_stock == {"value": True, "count": len(response.json()["data"])}


@pytest.mark.usefixtures("_shelf")
async def test_what_only_resembles_is_not_shown_beside_what_is_meant(
    client: httpx.AsyncClient, database: Database
) -> None:
    await add_product(database, "Kettel soup", 300)

    assert await names(client, q="kettel") == ["Kettel soup"]
    assert await names(client, q="kettel", **{"price[gte]": 400}) == []


@pytest.mark.usefixtures("_shelf")
@pytest.mark.parametrize("q", ["zzzz", "qx", "🫖", "the", "-kettle", "-kettle -bowl"])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, q: str) -> None:
    """Nor is everything but something: a search needs a word to look for."""
    assert await names(client, q=q) == []


async def test_of_equally_relevant_ones_each_is_seen_once(client: httpx.AsyncClient, database: Database) -> None:
    for _ in range(7):
        await add_product(database, "Mug", 100)

    seen: list[str] = []
    cursor: str | None = None
    while True:
        parameters = {"q": "mug", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"{API}/products", params=parameters)).json()
        seen += [card["id"] for card in page["data"]]
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 7


# Attributes


@pytest.fixture
async def _shirts(database: Database) -> None:
    shirts = {
        "Red": {"color": "red", "size": 5, "organic": True},
        "Blue": {"color": "blue", "size": 5.0, "organic": False},
        "Striped": {"color": ["red", "blue"], "size": 5.5},
        "Matte": {"color": "black, matte", "size": "5"},
        "Escaped": {"color": "a\\\\, b\\"},
        "Plain": {},
    }
    for day, (name, attributes) in enumerate(shirts.items()):
        await add_product(database, name, 100, day=9 - day, attributes=attributes)


@pytest.mark.usefixtures("_shirts")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("attr.color=red", ["Red", "Striped"]),
        ("attr.color=red,blue", ["Red", "Blue", "Striped"]),
        ("attr.color=%20red%20,%20blue", ["Red", "Blue", "Striped"]),
        ("attr.color=red&attr.color=blue", ["Red", "Blue", "Striped"]),
        ("attr.color=black,%20matte", []),
        (r"attr.color=black\,%20matte", ["Matte"]),
        (r"attr.color=black\,%20matte,red", ["Red", "Striped", "Matte"]),
        (r"attr.color=a\\\\\,%20b\\", ["Escaped"]),
        (r"attr.color=r\ed", []),
        ("attr.color=Red", []),
        ("attr.size=5", ["Red", "Blue", "Matte"]),
        ("attr.size=5.0", ["Red", "Blue", "Matte"]),
        ("attr.size=5.50", ["Striped"]),
        ("attr.organic=true", ["Red"]),
        ("attr.organic=true,false", ["Red", "Blue"]),
        ("attr.color=red&attr.size=5", ["Red"]),
        ("attr.color=red,blue&attr.organic=false&attr.size=5", ["Blue"]),
        ("attr.colour=red", []),
    ],
)
async def test_one_of_the_values_of_each_attribute(client: httpx.AsyncClient, query: str, expected: list[str]) -> None:
    response = await client.get(f"{API}/products?{query}")

    assert response.status_code == 200, response.text
    assert [card["name"] for card in response.json()["data"]] == expected


@pytest.mark.usefixtures("_shirts")
async def test_each_value_of_a_facet_is_a_filter_for_as_many(client: httpx.AsyncClient) -> None:
    facets = (await client.get(f"{API}/products?facets=true")).json()["facets"]["attributes"]
    values = [(name, each["value"], each["count"]) for name, facet in facets.items() for each in facet["values"]]
    assert len([value for _, value, _ in values if "," in value]) == 2

    for name, value, count in values:
        escaped = value.replace("\\", "\\\\").replace(",", "\\,")
        found = await client.get(f"{API}/products", params={f"attr.{name}": escaped, "limit": 100})
        assert len(found.json()["data"]) == count, value


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("attr.=red", "attr."),
        ("attr=red", "attr"),
        (f"attr.{'x' * 51}=red", f"attr.{'x' * 51}"),
        ("attr.a%00=red", "attr.a\x00"),
        ("attr.color=", "attr.color"),
        ("attr.color=,%20,", "attr.color"),
        (f"attr.color={'x' * 501}", "attr.color/0"),
        (f"attr.color={','.join(str(number) for number in range(51))}", "attr.color"),
        ("attr.color=%00", "attr.color/0"),
        ("&".join(f"attr.a{number}=1" for number in range(11)), ""),
        ("rating[gte]=5.1", "rating[gte]"),
        ("rating[gte]=4.123", "rating[gte]"),
        ("rating[lte]=NaN", "rating[lte]"),
        ("rating=4", "rating"),
        ("facets=perhaps", "facets"),
    ],
)
async def test_a_filter_that_is_none_is_refused(client: httpx.AsyncClient, query: str, pointer: str) -> None:
    response = await client.get(f"{API}/products?{query}")

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_the_badly_rated_are_rated(client: httpx.AsyncClient, database: Database) -> None:
    await add_product(database, "Unrated", 100)
    await add_product(database, "Bad", 100, rating_average=1.5, rating_count=2)
    await add_product(database, "Good", 100, rating_average=4.5, rating_count=2)

    assert await names(client, **{"rating[lte]": "3"}) == ["Bad"]
    assert await names(client, **{"rating[gte]": "1.5"}, sort="-rating") == ["Good", "Bad"]


async def test_among_equally_rated_ones_the_more_often_rated_comes_first(
    client: httpx.AsyncClient, database: Database
) -> None:
    await add_product(database, "Once", 100, rating_average=5, rating_count=1)
    await add_product(database, "Often", 100, rating_average=5, rating_count=90)

    assert await names(client, sort="-rating") == ["Often", "Once"]


# Statements


async def test_a_page_with_facets_is_two_statements_however_long(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection
) -> None:
    home = await add_category(database, "home")
    for index in range(50):
        attributes = {f"attribute {index}": index}
        await add_product(database, f"Product {index}", 100, attributes=attributes, categories=[home])

    counts = []
    for limit in (1, 50):
        with count_statements(connection) as statements:
            found = await names(client, limit=limit, q="product", category="home", facets=True)
        assert len(found) == limit
        counts.append(len(statements))

    assert counts == [2, 2]


async def test_facets_name_the_most_frequent_attributes_and_values(
    client: httpx.AsyncClient, database: Database
) -> None:
    for index in range(25):
        await add_product(database, f"Product {index}", 100, attributes={"color": f"color {index:02}", f"a{index}": 1})
    await add_product(database, "Another", 100, attributes={"color": "color 24"})

    response = await client.get(f"{API}/products", params={"facets": True, "attr.color": "color 23"})

    attributes = response.json()["facets"]["attributes"]
    colors = [value["value"] for value in attributes["color"]["values"]]
    assert colors[:3] == ["color 23", "color 24", "color 00"]  # what was chosen, and then the most frequent
    assert len(colors) == 20
    assert attributes.keys() == {"a23", "color"}
    everything = (await client.get(f"{API}/products", params={"facets": True})).json()["facets"]["attributes"]
    assert len(everything) == 20
    assert "color" in everything


async def test_a_long_name_makes_a_cursor_that_can_be_sent(client: httpx.AsyncClient, database: Database) -> None:
    for name in ("🫖" * 200, "🫖" * 199, '"' * 200):
        await add_product(database, name, 100)

    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        parameters = {"sort": "name", "limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"{API}/products", params=parameters)).json()
        seen += [card["name"] for card in page["data"]]
        cursor = page["page"]["next_cursor"]

    assert seen == ['"' * 200, "🫖" * 199, "🫖" * 200]
