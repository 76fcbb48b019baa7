"""What a limited route says, and to whom."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from app import main
from app.core.ids import uuid7
from app.core.rate_limit import Limit
from tests.support.problems import problem_of
from tests.support.shopping import API

MakeClient = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
NOBODY = {"username": "nobody@example.com", "password": "wrong but long enough"}


@pytest.fixture(autouse=True)
def own_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that no other test has counted on: what Redis remembers outlives a test."""
    for name in main.RATE_LIMITS:
        monkeypatch.setitem(main.RATE_LIMITS, name, Limit(f"3 per {60 + uuid7().int % 100_000} seconds"))


async def test_a_limited_route_says_what_is_left_whatever_it_answers(make_client: MakeClient) -> None:
    async with make_client(rate_limit_enabled=True) as client:
        answers = [await client.post(f"{API}/auth/token", data=NOBODY) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert [re.match(r'"sign-in-per-address";r=(\d);t=\d+$', answer.headers["RateLimit"])[1] for answer in answers] == [  # type: ignore[index]
        "2",
        "1",
        "0",
        "0",
    ]
    assert all(
        re.fullmatch(r'"sign-in-per-address";q=3;w=\d+', answer.headers["RateLimit-Policy"]) for answer in answers
    )


async def test_who_is_beyond_a_limit_is_told_when_to_come_back(make_client: MakeClient) -> None:
    async with make_client(rate_limit_enabled=True) as client:
        for _ in range(3):
            await client.post(f"{API}/auth/token", data=NOBODY)
        response = await client.post(f"{API}/auth/token", data=NOBODY)

    problem = problem_of(response)
    assert problem["code"] == "too_many_requests"
    assert int(response.headers["Retry-After"]) == problem["retry_after"] > 0
    assert f";t={problem['retry_after']}" in response.headers["RateLimit"]


@pytest.mark.parametrize(
    "path", [f"{API}/auth/token/", f"{API}//auth/token", f"{API}/AUTH/token", f"{API}/auth/%74oken"]
)
async def test_another_spelling_of_a_path_is_no_way_around(make_client: MakeClient, path: str) -> None:
    """It is no path at all, or the same one."""
    async with make_client(rate_limit_enabled=True) as client:
        for _ in range(3):
            await client.post(f"{API}/auth/token", data=NOBODY)
        response = await client.post(path, data=NOBODY)

    assert response.status_code in (404, 429)


async def test_an_unlimited_route_says_nothing(make_client: MakeClient) -> None:
    async with make_client(rate_limit_enabled=True) as client:
        response = await client.get(f"{API}/products")

    assert "RateLimit" not in response.headers
    assert "RateLimit-Policy" not in response.headers


async def test_a_flood_from_one_address_is_refused_before_it_costs_anything(make_client: MakeClient) -> None:
    async with make_client(rate_limit_enabled=True, reads_per_address=3, writes_per_address=2) as client:
        reads = [await client.get("/nothing") for _ in range(4)]
        writes = [await client.post("/nothing") for _ in range(3)]

    assert [answer.status_code for answer in reads] == [404, 404, 404, 429]
    assert [answer.status_code for answer in writes] == [404, 404, 429]
    problem = problem_of(reads[-1])
    assert 1 <= int(reads[-1].headers["Retry-After"]) == problem["retry_after"] <= 11


async def test_without_limits_nothing_is_counted(make_client: MakeClient) -> None:
    async with make_client(rate_limit_enabled=False, reads_per_address=1) as client:
        answers = [await client.post(f"{API}/auth/token", data=NOBODY) for _ in range(5)]
        reads = [await client.get("/nothing") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert [answer.status_code for answer in reads] == [404] * 3
    assert "RateLimit" not in answers[0].headers
