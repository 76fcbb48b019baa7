"""CORS as a browser asks for it: the origins of the settings may read, and nobody else."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from app.core.cross_origin import METHODS, REQUEST_HEADERS
from tests.support.problems import problem_of
from tests.support.shopping import API

MakeClient = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
FRONT = "https://front.example"
STRANGERS = [
    "https://evil.example",
    "null",
    "",
    "https://front.example.evil.example",
    "https://evilfront.example",
    "https://sub.front.example",
    "http://front.example",
    "https://front.example:8443",
    "https://front.example/",
    "https://FRONT.example",
    "https://front.example@evil.example",
    "https://front.example, https://evil.example",
]
QUESTIONS = [
    ("GET", f"{API}/products", 200),
    ("GET", f"{API}/users/me", 401),
    ("GET", "/nothing", 404),
    ("PUT", f"{API}/products", 405),
    ("POST", f"{API}/cart/lines", 415),
]


@pytest.fixture
async def client(make_client: MakeClient) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(cors_origins=(FRONT,)) as client:
        yield client


def allowed(response: httpx.Response) -> dict[str, str]:
    """What the answer says of CORS."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


async def preflight(client: httpx.AsyncClient, origin: str, method: str = "POST", headers: str = "") -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    return await client.options(f"{API}/orders", headers=asked)


@pytest.mark.parametrize(("method", "path", "status"), QUESTIONS)
async def test_an_origin_of_the_settings_may_read_answers_and_refusals(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path, headers={"Origin": FRONT})

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == FRONT
    assert "X-Request-ID" in response.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize("origin", STRANGERS)
async def test_no_other_origin_may(client: httpx.AsyncClient, origin: str) -> None:
    for method, path, status in QUESTIONS:
        response = await client.request(method, path, headers={"Origin": origin})
        assert response.status_code == status
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.headers["Vary"]  # a shared cache must not give this to an origin that may


@pytest.mark.parametrize("origin", STRANGERS)
async def test_a_strangers_preflight_is_refused(client: httpx.AsyncClient, origin: str) -> None:
    response = await preflight(client, origin)

    assert problem_of(response)["code"] == "untrusted_origin"
    assert allowed(response) == {}
    assert "Origin" in response.headers["Vary"]


async def test_a_preflight_names_what_may_be_sent(client: httpx.AsyncClient) -> None:
    response = await preflight(client, FRONT, "PATCH", "authorization, content-type, if-match, idempotency-key")

    assert response.status_code == 200
    answer = allowed(response)
    assert answer["access-control-allow-origin"] == FRONT
    assert set(answer["access-control-allow-methods"].split(", ")) == set(METHODS)
    assert set(REQUEST_HEADERS) <= set(answer["access-control-allow-headers"].split(", "))
    assert answer["access-control-max-age"] == "600"
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize(("method", "headers"), [("TRACE", ""), ("CONNECT", ""), ("GET", "x-forwarded-for")])
async def test_a_preflight_for_anything_else_is_refused(client: httpx.AsyncClient, method: str, headers: str) -> None:
    response = await preflight(client, FRONT, method, headers)

    assert problem_of(response)["code"] == "untrusted_origin"
    assert allowed(response) == {}


async def test_a_crash_and_a_body_too_large_can_be_read_too(make_client: MakeClient) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async with make_client(cors_origins=(FRONT,), max_body_bytes=10) as client:
        client._transport.app.add_api_route("/broken", broken)  # type: ignore[attr-defined]  # httpx' own transport
        crash = await client.get("/broken", headers={"Origin": FRONT})
        large = await client.post(f"{API}/orders", headers={"Origin": FRONT}, content=b"x" * 11)
        stranger = await client.get("/broken", headers={"Origin": "https://evil.example"})

    assert (crash.status_code, crash.headers["Access-Control-Allow-Origin"]) == (500, FRONT)
    assert (large.status_code, large.headers["Access-Control-Allow-Origin"]) == (413, FRONT)
    assert stranger.status_code == 500
    assert "Access-Control-Allow-Origin" not in stranger.headers


async def test_without_origins_in_the_settings_there_is_no_cors(make_client: MakeClient) -> None:
    async with make_client() as client:
        refused = await preflight(client, FRONT)
        answer = await client.get(f"{API}/products", headers={"Origin": FRONT})

    assert refused.status_code == 405
    assert allowed(refused) == allowed(answer) == {}
