"""Whatever is asked of lists, the answer is a list or a clear refusal."""

import httpx
import pytest

from app.database import Database
from tests.support.catalogue import API, add_category, add_product
from tests.support.hostile import hostile_texts
from tests.support.problems import problem_of

HOSTILE = list(hostile_texts())
QUERIES = {
    "words": "/products?q={}",
    "words with facets": "/products?q={}&facets=true&include_total=true",
    "words, sorted": "/products?q={}&sort=price&in_stock=true",
    "an attribute": "/products?attr.color={}",
    "an attribute's name": "/products?attr.{}=red&facets=true",
    "a category": "/products?category={}",
    "a price": "/products?price%5Bgte%5D={}",
    "a rating": "/products?rating%5Bgte%5D={}",
    "a sort": "/products?sort={}",
    "a cursor": "/products?cursor={}",
    "a name": "/products?{}=1",
    "what is being typed": "/products/suggest?q={}",
}


@pytest.fixture(autouse=True)
async def _catalogue(database: Database) -> None:
    home = await add_category(database, "home")
    for name in ("Kettle", "Café au lait bowl", "Mug", "Ölkanne", "咖啡杯"):
        await add_product(database, name, 100, categories=[home], attributes={"color": ["red", "'"], "size": 5})


def test_there_are_five_hundred() -> None:
    assert len(HOSTILE) == 500
    assert len(set(HOSTILE)) > 450


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_nothing_breaks(client: httpx.AsyncClient, query: str) -> None:
    for text in HOSTILE:
        response = await client.get(f"{API}{query.format(text)}")
        if response.status_code == httpx.codes.OK:
            assert isinstance(response.json()["data"], list), text
        else:
            assert response.status_code in (400, 422), text
            problem_of(response)
