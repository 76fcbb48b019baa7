"""The express way answers what the usual way answers."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.core.routing import IndexedRouter
from app.database import Database
from app.main import create_app
from app.models.users import Role
from app.routers.express import EXPRESS
from app.settings import Settings
from app.shop import Shop
from tests.conftest import client_of
from tests.support.catalogue import API, add_category, add_product
from tests.support.shopping import signed_in


@pytest.fixture
async def usual(settings: Settings, shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """The application without the express way."""
    app = create_app(settings)
    router: Any = app.router.middleware_stack
    app.router.middleware_stack = IndexedRouter(app.router, router._index, {})
    async with client_of(app, shop) as client:
        yield client


@pytest.fixture(autouse=True)
async def catalogue(database: Database) -> None:
    home = await add_category(database, "home")
    await add_product(database, "Mug", 1299, 1999, slug="mug", categories=[home], attributes={"color": "red"})
    await add_product(database, "Café cup", 999, slug="cup", stock=0, attributes={"color": "blue"})
    await add_product(database, "Plate", 2500, slug="plate", status="draft", published_at=None)


def comparable(response: httpx.Response) -> tuple[Any, ...]:
    body = response.json() if response.content else None
    if isinstance(body, dict):
        body.pop("request_id", None)
    headers = [pair for pair in response.headers.multi_items() if pair[0] != "x-request-id"]
    return response.status_code, body, headers


@pytest.mark.parametrize(
    "path",
    [
        "/products", "/products?limit=1", "/products?q=mug", "/products?q=caf%C3%A9&sort=relevance", "/products?q=",
        "/products?category=home&price[gte]=1000&price[lte]=2000&in_stock=true&sort=-price", "/products?in_stock=no",
        "/products?attr.color=red,blue", "/products?attr.color=red&attr.color=blue", "/products?rating[gte]=4.5",
        "/products?limit=0", "/products?limit=1&limit=2", "/products?unknown=1", "/products?sort=relevance",
        "/products?cursor=nonsense", "/products?include_total=true", "/products?limit=%31", "/products?q=a+b%20c;d&&",
        "/products?q=%ff", "/products?q=%00", "/products?price%5Bgte%5D=1000", "/products?facets=true",
        "/products/mug", "/products/cup", "/products/plate", "/products/nothing", "/products/m%75g", "/products/mug%2F",
        "/products/MUG", "/products/mug?unknown=1", "/products/%00", "/products/caf%C3%A9",
    ],
)  # fmt: skip
@pytest.mark.parametrize("who", ["anybody", Role.CUSTOMER, Role.CATALOG, "a forger"])
async def test_both_ways_lead_to_the_same_answer(
    client: httpx.AsyncClient, usual: httpx.AsyncClient, shop: Shop, path: str, who: str
) -> None:
    headers = {} if who == "anybody" else {"Authorization": "Bearer forged"}
    if isinstance(who, Role):
        headers = await signed_in(shop, who)

    express, expected = [comparable(await each.get(API + path, headers=headers)) for each in (client, usual)]
    assert express == expected


async def test_the_express_way_is_taken(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    for template, express in EXPRESS.items():

        async def note(request: Any, template: str = template, express: Any = express) -> Any:
            response = await express(request)
            taken.append((template, response is not None))
            return response

        monkeypatch.setitem(EXPRESS, template, note)
    for path in ("", "/mug", "?unknown=1"):
        await client.get(f"{API}/products{path}")

    assert taken == [("/api/v1/products", True), ("/api/v1/products/{id_or_slug}", True), ("/api/v1/products", False)]
