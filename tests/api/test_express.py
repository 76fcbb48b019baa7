"""The express way answers what the usual way answers."""

import json
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
from tests.support.shopping import guest_cart, signed_in


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


JSON = {"Content-Type": "application/json"}
BODIES: list[bytes | str] = [
    '{"variant_id": "ID"}', '{"variant_id": "ID", "quantity": 3}', '{"quantity": 2, "variant_id": "ID"}',
    '{"variant_id": "ID", "quantity": 6}', '{"variant_id": "ID", "quantity": 999}',
    '{"variant_id": "00000000-0000-0000-0000-000000000000"}', '{"variant_id": "urn:uuid:ID"}', '{"variant_id": "x"}',
    *(f'{{"variant_id": "ID", "quantity": {quantity}}}'
      for quantity in ("0", "1000", "1.0", "1e0", '"2"', "true", "null", "NaN", "[]", "9" * 30, "-0", "01")),
    '{"variant_id": 1}', '{"variant_id": null}', '{"variant_id": "ID", "price": 1}', '{"\\ud800": 1}',
    '{"variant_id": "x", "variant_id": "ID"}', "", "{}", "[]", "null", '"ID"', "{", '{"variant_id": "ID"} {}', b"\xff",
    "{}".encode("utf-16"), "\N{ZERO WIDTH NO-BREAK SPACE}" + '{"variant_id": "ID"}', "[" * 10_000,
]  # fmt: skip
TYPES = [
    "application/json", "Application/JSON", "application/json; charset=utf-8", "application/problem+json",
    "text/plain", "application/x-www-form-urlencoded", "", "nonsense",
]  # fmt: skip


async def added(client: httpx.AsyncClient, content: bytes | str, headers: dict[str, str]) -> tuple[Any, ...]:
    """What is the same however often it is done: without ids, times and secrets, and the headers in any order."""
    response = await client.post(f"{API}/cart/lines", content=content, headers=headers)
    status, body, told = comparable(response)
    if status == httpx.codes.CREATED:
        assert response.content == json.dumps(response.json(), separators=(",", ":"), ensure_ascii=False).encode()
        for thing in (body, *body["lines"]):
            del thing["id"]
        del body["expires_at"]
    return status, body, sorted((name, "a secret" if name == "x-cart-token" else value) for name, value in told)


@pytest.mark.parametrize("body", BODIES, ids=ascii)
async def test_both_ways_put_the_same_in_a_cart(
    client: httpx.AsyncClient, usual: httpx.AsyncClient, database: Database, body: bytes | str
) -> None:
    [mug] = (await add_product(database, "Saucer", 499, stock=5)).variants
    sent = (
        body.replace("ID", str(mug.id)) if isinstance(body, str) else body.replace(b"I\0D\0", "ID".encode("utf-16-le"))
    )

    assert await added(client, sent, JSON) == await added(usual, sent, JSON)


@pytest.mark.parametrize("content_type", TYPES)
async def test_both_ways_take_the_same_types(
    client: httpx.AsyncClient, usual: httpx.AsyncClient, database: Database, content_type: str
) -> None:
    [mug] = (await add_product(database, "Saucer", 499, stock=5)).variants
    body, headers = json.dumps({"variant_id": str(mug.id)}), {"Content-Type": content_type} if content_type else {}

    assert await added(client, body, headers) == await added(usual, body, headers)


@pytest.mark.parametrize("who", ["guest", "guest of nothing", "somebody who ordered", "customer", "forger"])
async def test_both_ways_know_the_same_shoppers(
    client: httpx.AsyncClient, usual: httpx.AsyncClient, database: Database, shop: Shop, who: str
) -> None:
    [mug] = (await add_product(database, "Saucer", 499, stock=9)).variants
    body = json.dumps({"variant_id": str(mug.id)})

    async def headers() -> dict[str, str]:
        match who:
            case "guest":
                return JSON | await guest_cart(client)
            case "customer":
                return JSON | await signed_in(shop)
            case "forger":
                return JSON | {"Authorization": "Bearer forged"}
        return JSON | {"X-Order-Token" if "order" in who else "X-Cart-Token": "nobody's"}

    for_express, for_usual = await headers(), await headers()
    for _ in range(2):
        assert await added(client, body, for_express) == await added(usual, body, for_usual)


async def test_the_express_way_is_taken(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    for operation, express in EXPRESS.items():

        async def note(request: Any, operation: tuple[str, str] = operation, express: Any = express) -> Any:
            response = await express(request)
            taken.append((operation, response is not None))
            return response

        monkeypatch.setitem(EXPRESS, operation, note)
    for path in ("", "/mug", "?unknown=1"):
        await client.get(f"{API}/products{path}")
    [mug] = (await add_product(database, "Saucer", 499, stock=9)).variants
    for key in ({}, {"Idempotency-Key": "a-key"}):
        await client.post(f"{API}/cart/lines", json={"variant_id": str(mug.id)}, headers=key)

    assert taken == [
        (("GET", "/api/v1/products"), True),
        (("GET", "/api/v1/products/{id_or_slug}"), True),
        (("GET", "/api/v1/products"), False),
        (("POST", "/api/v1/cart/lines"), True),
        (("POST", "/api/v1/cart/lines"), False),
    ]
