"""A slice of `make attack`: what needs no demo accounts, against the processes of these tests."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.shop import Shop
from scripts.attack import browsers, outward, payloads, tampering, wire
from scripts.attack.attempts import Attempt, Family
from scripts.attack.target import Target
from tests.support.shopping import add_product

SLICE: list[Family] = [
    wire.smuggling,
    wire.hosts,
    wire.redirects_and_line_breaks,
    browsers.cross_origin,
    tampering.cursors,
    tampering.webhooks,
    payloads.bodies,
    payloads.regular_expressions,
]


@pytest.fixture
async def target(api_urls: list[str], shop: Shop) -> AsyncIterator[Target]:
    for _ in range(2):
        await add_product(shop.database)
    async with httpx.AsyncClient(base_url=api_urls[0], timeout=60) as client:
        document = (await client.get("/openapi.json")).json()
        yield Target(api_urls[0], (), None, client, document)


@pytest.mark.parametrize("family", SLICE, ids=lambda family: family.__name__)
async def test_nothing_gets_through(target: Target, family: Family) -> None:
    for attempt in await family(target):
        assert attempt.tries > 10
        assert attempt.through == []


async def test_no_operation_takes_a_url(target: Target) -> None:
    assert [
        (method, path, name)
        for method, path, described in target.operations()
        for name in outward._inputs(target, described)
    ] == []


def test_an_answer_that_should_not_be_is_noticed() -> None:
    attempt = Attempt("A1", "a title")

    attempt.refused("as it should be", httpx.Response(404), 401, 404)
    attempt.refused("let in", httpx.Response(200), 401, 404)
    attempt.refused("a crash", httpx.Response(500), 401, 404, 500)
    attempt.record("held open", "held", held=False)

    assert attempt.tries == 4
    assert attempt.through == ["let in: 200", "a crash: 500", "held open: held"]


def test_an_input_that_would_hold_a_url_is_found(target: Target) -> None:
    body = {"type": "object", "properties": {"name": {"type": "string"}, "image": {"type": "string", "format": "uri"}}}
    hook = {"type": "object", "properties": {"callback_url": {"type": "string"}, "items": {"type": "array"}}}
    described = {
        "parameters": [{"name": "next_url", "schema": {"type": "string"}}, {"name": "limit"}],
        "requestBody": {"content": {"application/json": {"schema": {"anyOf": [body, hook]}}}},
    }

    assert outward._inputs(target, described) == ["next_url", "image", "callback_url"]
