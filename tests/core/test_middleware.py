"""The outermost layer: every request gets an id, security headers and one line in the log."""

import json
import logging
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.core.access_log import access_log
from app.core.middleware import RequestContext
from app.core.security_headers import SECURITY_HEADERS, SecurityHeaders
from app.settings import Environment
from tests.support.problems import problem_of

MakeClient = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
WELL_FORMED = ["abcdefgh", "0123456789abcdef0123456789abcdef", "Order-4711.retry_2", "x" * 128]
MALFORMED = [
    "",
    "short",
    "x" * 129,
    "with space",
    "a\tbcdefghij",
    "<script>alert(1)",
    "abcdefgh;",
    "abcdefgh\u00e9",
    'id"quoted',
]


def access_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.msg for record in caplog.records if record.name == "access" and isinstance(record.msg, dict)]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """The lines that the access log has got so far."""
    caplog.set_level(logging.INFO)
    return lambda: access_lines(caplog)


@pytest.mark.parametrize("given", WELL_FORMED)
async def test_a_well_formed_request_id_is_kept(client: httpx.AsyncClient, given: str) -> None:
    for path, status in (("/health/live", 200), ("/nothing", 404)):
        response = await client.get(path, headers={"X-Request-ID": given})
        assert (response.status_code, response.headers["X-Request-ID"]) == (status, given)


@pytest.mark.parametrize("given", MALFORMED, ids=ascii)
async def test_any_other_request_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    response = await client.get("/nothing", headers={b"X-Request-ID": given.encode("latin-1")})

    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])
    assert problem_of(response)["request_id"] == response.headers["X-Request-ID"]


async def test_every_request_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    ids = {(await client.get("/health/live")).headers["X-Request-ID"] for _ in range(20)}

    assert len(ids) == 20


@pytest.mark.parametrize(
    ("path", "status", "own"),
    [
        ("/health/live", 200, {}),
        ("/api/v1/products", 200, {"Cache-Control": "public, max-age=60, stale-while-revalidate=30"}),
        ("/nothing", 404, {}),
        ("/static/nothing", 404, {}),
        ("/metrics", 200, {}),
    ],
)
async def test_answers_carry_the_security_headers(
    client: httpx.AsyncClient, path: str, status: int, own: dict[str, str]
) -> None:
    response = await client.get(path)

    assert response.status_code == status
    assert {name: response.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS | own
    assert "Server" not in response.headers


@pytest.mark.parametrize(
    ("environment", "scheme", "told"),
    [
        (Environment.PRODUCTION, "https", "max-age=63072000; includeSubDomains"),
        (Environment.PRODUCTION, "http", None),
        (Environment.DEVELOPMENT, "https", None),
    ],
)
async def test_only_production_insists_on_https_and_only_there(
    make_client: MakeClient, environment: Environment, scheme: str, told: str | None
) -> None:
    async with make_client(environment=environment) as client:
        answers = [await client.get(f"{scheme}://localhost{path}") for path in ("/health/live", "/docs", "/nothing")]

    assert [answer.headers.get("Strict-Transport-Security") for answer in answers] == [told] * 3


async def test_a_page_keeps_its_own_policy(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/docs")).headers

    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers.get_list("Content-Security-Policy") == [headers["Content-Security-Policy"]]


async def test_a_request_is_one_line(client: httpx.AsyncClient, lines: Callable[[], list[dict[str, Any]]]) -> None:
    response = await client.get("/api/v1/products?q=private+words", headers={"X-Request-ID": "abcdefgh"})

    (line,) = lines()
    assert (line["event"], line["method"], line["path"], line["status"]) == ("request", "GET", "/api/v1/products", 200)
    assert line["request_id"] == response.headers["X-Request-ID"] == "abcdefgh"
    assert 0 <= line["milliseconds"] < 60_000
    assert "private" not in json.dumps(line)


@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None),
        ("nonsense", None),
        ("", None),
    ],
)
async def test_lines_join_the_trace_of_the_caller(
    client: httpx.AsyncClient, lines: Callable[[], list[dict[str, Any]]], traceparent: str, trace_id: str | None
) -> None:
    await client.get("/nothing", headers={"traceparent": traceparent})

    assert [line.get("trace_id") for line in lines()] == [trace_id]


async def test_probes_and_scrapes_are_quiet(
    client: httpx.AsyncClient, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        await client.get(path)

    assert lines() == []


async def test_refusals_before_the_application_are_lines_too(
    client: httpx.AsyncClient, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    await client.get("/", headers={"Host": "evil.example"})
    await client.post("/api/v1/orders", content=b" " * 2_000_000)

    assert [(line["path"], line["status"]) for line in lines()] == [("/", 400), ("/api/v1/orders", 413)]


async def test_nothing_is_left_behind_for_the_next_request(
    client: httpx.AsyncClient, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    await client.get("/nothing", headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    await client.get("/nothing")

    assert ["trace_id" in line for line in lines()] == [True, False]


async def test_half_an_answer_is_cut_off_and_not_patched(lines: Callable[[], list[dict[str, Any]]]) -> None:
    async def breaks_half_way(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("the file ended early")

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        pytest.fail("a second answer was begun")

    app = RequestContext(
        breaks_half_way,
        crashed=never,
        untrusted_host=never,
        too_large=never,
        too_many=never,
        trusted_hosts=["*"],
        body_limit=lambda _: 1,
        security_headers=SecurityHeaders(only_https=False),
        throttle=None,
        say=access_log("console"),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://anything") as client:
        with pytest.raises(RuntimeError, match="the file ended early"):
            await client.get("/")

    assert [(line["event"], line.get("status")) for line in lines()] == [("unhandled error", None), ("request", 200)]
