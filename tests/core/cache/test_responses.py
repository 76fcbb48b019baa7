"""The layer that answers public GETs, in front of an application that counts how often it is asked."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.core.cache import CACHE_TAGS, Journal, MemoryTier, ResponseCache, SharedTier
from app.core.cache.responses import accepts_gzip
from app.core.cross_origin import CrossOrigin

BODY = b'{"data": "' + b"x" * 5_000 + b'"}'


class Shop:
    """Answers `status` to everything under /shown, and says what the answer depends on."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.broken = False
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        self.asked += 1
        await self.open.wait()
        if self.broken:
            raise RuntimeError("broken")
        headers = [(b"content-type", b"application/json"), (b"etag", b'"tag-%d"' % self.asked)]
        headers += [(b"cache-control", b"public, max-age=60"), (b"content-length", b"%d" % len(BODY))]
        if not scope["path"].endswith("/untagged"):
            scope[CACHE_TAGS] = ("catalogue",)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": BODY[:100], "more_body": True})
        await send({"type": "http.response.body", "body": BODY[100:]})


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal.begin()
    return journal


@pytest.fixture
async def client(shop: Shop, journal: Journal) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(shop, journal) as client:
        yield client


def client_of(shop: Shop, journal: Journal, **changes: Any) -> httpx.AsyncClient:
    async def nothing() -> None: ...

    options: dict[str, Any] = {
        "memory": MemoryTier(1_000_000),
        "shared": SharedTier("redis://127.0.0.1:1/0", "test", 60),
        "fresh_seconds": 60.0,
        "reads": ("/shown",),
        "writes": ("/shown", "/edited"),
        "catch_up": nothing,
    }
    cache = ResponseCache(shop, journal=journal, **options | changes)
    plain = {"Accept-Encoding": "identity"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(cache), base_url="http://shop", headers=plain)


async def test_the_second_answer_is_the_first_one(client: httpx.AsyncClient, shop: Shop) -> None:
    first, second = await client.get("/shown/a"), await client.get("/shown/a")

    assert shop.asked == 1
    assert first.content == second.content == BODY
    assert first.headers.pop("Cache-Status") == "emporium; fwd=miss"
    assert second.headers.pop("Cache-Status") == "emporium; hit"
    assert first.headers == second.headers


async def test_parameters_in_another_order_ask_for_the_same(client: httpx.AsyncClient, shop: Shop) -> None:
    for query in ("a=1&b=2", "b=2&a=1"):
        await client.get(f"/shown?{query}")
    assert shop.asked == 1
    for query in ("a=1", "b=2", "a=1&b=3", "a=1&b=2&b=2"):
        await client.get(f"/shown?{query}")
    assert shop.asked == 5


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-Cart-Token", "X-Order-Token"])
async def test_what_is_personal_passes_by(client: httpx.AsyncClient, shop: Shop, name: str) -> None:
    await client.get("/shown/a")
    for _ in range(2):
        await client.get("/shown/a", headers={name: "x"})
    assert shop.asked == 3
    await client.get("/shown/b", headers={name: "x"})
    await client.get("/shown/b")
    assert shop.asked == 5


async def test_one_answer_serves_all_origins_and_none_gets_anothers_permission(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    cache = client._transport.app  # type: ignore[attr-defined]  # of httpx' transport for applications
    front, other = "https://front.example", "https://other.example"
    shared = httpx.ASGITransport(CrossOrigin(cache, origins=[front, other], refused=shop))
    async with httpx.AsyncClient(transport=shared, base_url="http://shop") as browser:
        origins = [front, other, "https://evil.example", "null", None, front]
        answers = [await browser.get("/shown/a", headers={"Origin": origin} if origin else {}) for origin in origins]

    allowed = [answer.headers.get("Access-Control-Allow-Origin") for answer in answers]
    assert allowed == [front, other, None, None, None, front]
    assert all("Origin" in answer.headers["Vary"] for answer in answers)
    assert shop.asked == 1


@pytest.mark.parametrize("path", ["/elsewhere", "/shown/untagged"])
async def test_nothing_else_is_kept(client: httpx.AsyncClient, shop: Shop, path: str) -> None:
    for _ in range(3):
        assert (await client.get(path)).content == BODY
    assert shop.asked == 3


@pytest.mark.parametrize("status", [201, 204, 304, 404, 422, 500, 503])
async def test_only_a_good_answer_is_kept(client: httpx.AsyncClient, shop: Shop, status: int) -> None:
    shop.status = status
    for _ in range(2):
        assert (await client.get("/shown")).status_code == status
    assert shop.asked == 2


async def test_a_change_is_seen(client: httpx.AsyncClient, shop: Shop, journal: Journal) -> None:
    old = await client.get("/shown")
    journal.change("catalogue")
    new = await client.get("/shown")

    assert (old.headers["etag"], new.headers["etag"]) == ('"tag-1"', '"tag-2"')


async def test_a_crowd_is_answered_by_one_computation(client: httpx.AsyncClient, shop: Shop) -> None:
    shop.open.clear()
    crowd = [asyncio.create_task(client.get("/shown")) for _ in range(100)]
    await asyncio.sleep(0.05)
    crowd[0].cancel()  # the one that began it
    shop.open.set()

    answers = await asyncio.gather(*crowd[1:])
    assert {answer.content for answer in answers} == {BODY}
    assert shop.asked == 1


async def test_who_comes_after_a_change_does_not_join_what_began_before(
    client: httpx.AsyncClient, shop: Shop, journal: Journal
) -> None:
    shop.open.clear()
    before = asyncio.create_task(client.get("/shown"))
    await asyncio.sleep(0.05)
    journal.change("catalogue")
    after = asyncio.create_task(client.get("/shown"))
    await asyncio.sleep(0.05)
    shop.open.set()
    await asyncio.gather(before, after)

    assert shop.asked == 2
    await client.get("/shown")
    assert shop.asked == 2


async def test_an_answer_past_its_time_is_sent_while_a_new_one_is_computed(shop: Shop, journal: Journal) -> None:
    async with client_of(shop, journal, fresh_seconds=0.05) as client:
        first = await client.get("/shown")
        await asyncio.sleep(0.06)
        stale = await client.get("/shown")
        await asyncio.sleep(0.02)
        fresh = await client.get("/shown")

    assert [answer.headers["etag"] for answer in (first, stale, fresh)] == ['"tag-1"', '"tag-1"', '"tag-2"']


@pytest.mark.parametrize("how", ["status", "exception"])
async def test_the_last_good_answer_stands_in_for_a_failure(
    client: httpx.AsyncClient, shop: Shop, journal: Journal, how: str
) -> None:
    good = await client.get("/shown")
    journal.change("catalogue")
    shop.status, shop.broken = (503, False) if how == "status" else (200, True)
    answers = [await client.get("/shown") for _ in range(3)]

    assert {answer.headers["etag"] for answer in answers} == {good.headers["etag"]}
    shop.status, shop.broken = 200, False
    assert (await client.get("/shown")).headers["etag"] == '"tag-5"'


async def test_a_failure_without_an_older_answer_is_told(client: httpx.AsyncClient, shop: Shop) -> None:
    shop.broken = True
    with pytest.raises(RuntimeError, match="broken"):
        await client.get("/shown")


@pytest.mark.parametrize("known", ['"tag-1"', 'W/"tag-1"', "*", '"other", "tag-1"'])
async def test_who_has_it_gets_no_body(client: httpx.AsyncClient, shop: Shop, known: str) -> None:
    for _ in range(2):  # the computation must not be conditional, or there would be nothing to keep
        answer = await client.get("/shown", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == '"tag-1"'
    assert (await client.get("/shown")).content == BODY
    assert shop.asked == 1


async def test_a_head_has_the_headers_of_a_get(client: httpx.AsyncClient, shop: Shop) -> None:
    await client.get("/shown")
    head, get = await client.head("/shown"), await client.get("/shown")

    assert (head.content, head.headers) == (b"", get.headers)
    assert shop.asked == 1


async def test_it_is_compressed_once_for_who_asks_for_it(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/shown", headers={"Accept-Encoding": "br, gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    plain = await client.get("/shown")

    assert gzip.decompress(raw) == plain.content == BODY
    assert int(answer.headers["content-length"]) == len(raw) < len(BODY) / 10
    assert answer.headers["etag"] == f"W/{plain.headers['etag']}"
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        (b"gzip", True),
        (b"GZIP;q=0.5", True),
        (b"deflate, gzip ;q=1.0", True),
        (b"*", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000", False),
        (b"*;q=0", False),
        (b"identity", False),
        (b"", False),
        (b"gzip;q=0, *", False),
    ],
)
def test_what_accepts_gzip(header: bytes, accepts: bool) -> None:
    assert accepts_gzip(header) is accepts


async def test_a_change_through_this_process_is_heard_before_it_is_answered(shop: Shop, journal: Journal) -> None:
    async def catch_up() -> None:
        journal.change("catalogue")

    async with client_of(shop, journal, catch_up=catch_up) as client:
        await client.get("/shown")
        await client.post("/edited")
        await client.get("/shown")
        assert shop.asked == 3
        await client.post("/elsewhere")
        await client.get("/shown")
        assert shop.asked == 4


async def test_an_endless_name_is_not_kept(client: httpx.AsyncClient, shop: Shop) -> None:
    for _ in range(2):
        await client.get("/shown?q=" + "x" * 3_000)
    assert shop.asked == 2
