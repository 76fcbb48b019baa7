"""The HTTP protocol's guards, over real sockets and against a tiny ASGI application."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from app.core.http_protocol import GuardedHttpProtocol

HEAD_TIMEOUT_S = 0.3
BODY_TIMEOUT_S = 0.6
WRITE_TIMEOUT_S = 0.6
LARGE = 32 * 2**20


class Impatient(GuardedHttpProtocol):
    head_timeout_s = HEAD_TIMEOUT_S
    body_timeout_s = BODY_TIMEOUT_S
    write_timeout_s = WRITE_TIMEOUT_S


class Talk:
    """A raw connection: bytes in, bytes out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def response(self) -> tuple[int, bytes]:
        """The status and body of one response with a Content-Length."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")
        )
        return int(head.split()[1]), await self._reader.readexactly(length)

    async def problem(self) -> tuple[int, str]:
        """The status and code of a refusal, after which the server must have closed the connection."""
        status, body = await self.response()
        assert await self.closed()
        problem = json.loads(body)
        assert problem["status"] == status
        assert problem["request_id"]
        return status, problem["code"]

    async def closed(self) -> bool:
        return await self._reader.read(1) == b""


Connect = Callable[[], Awaitable[Talk]]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body's length; `/slow` takes its time, `/late` before it reads and `/deaf` does not read."""
    if scope["path"] == "/deaf":
        await PlainTextResponse("deaf")(scope, receive, send)
        return
    if scope["path"] == "/large":
        pieces = (bytes(2**16) for _ in range(LARGE // 2**16))
        await StreamingResponse(in_turn(pieces), headers={"Content-Length": str(LARGE)})(scope, receive, send)
        return
    if scope["path"] == "/late":
        await asyncio.sleep(1.5 * BODY_TIMEOUT_S)
    body = await Request(scope, receive).body()
    if scope["path"] == "/slow":
        await asyncio.sleep(2.5 * HEAD_TIMEOUT_S)
    await PlainTextResponse(f"{len(body)}")(scope, receive, send)


async def in_turn(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    config = Config(echo, log_config=None, ws="none", timeout_keep_alive=60)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: Impatient(config, state, {}), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for connection in list(state.connections):
            connection.shutdown()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    writers = []

    async with serving() as port:

        async def open_connection() -> Talk:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
            writers.append(writer)
            return Talk(reader, writer)

        yield open_connection
        for writer in writers:
            writer.close()


async def test_ordinary_requests_pass_on_one_connection(connect: Connect) -> None:
    talk = await connect()

    for _ in range(3):
        await talk.send(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc")
        assert await talk.response() == (200, b"3")


async def test_a_head_that_never_ends_is_refused(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET / HTTP/1.1\r\nHost: shop\r\nX-Slow: ")

    assert await talk.problem() == (408, "request_timeout")


async def test_a_second_head_that_never_ends_is_refused(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
    assert await talk.response() == (200, b"0")

    await talk.send(b"GET / HT")

    assert await talk.problem() == (408, "request_timeout")


async def test_drops_of_a_head_do_not_prolong_its_time(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET / HTTP/1.1\r\nHost: shop\r\n")

    async def drip() -> None:
        while True:
            await talk.send(b"X-A: b\r\n")
            await asyncio.sleep(HEAD_TIMEOUT_S / 10)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(3 * HEAD_TIMEOUT_S):
        status, _ = await talk.response()
    dripping.cancel()

    assert status == 408


@pytest.mark.parametrize("opening", [b"", b"\r\n"])
async def test_a_silent_connection_is_closed_without_a_word(connect: Connect, opening: bytes) -> None:
    talk = await connect()
    await talk.send(opening)

    assert await talk.closed()


async def test_blank_lines_do_not_keep_a_used_connection_open(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
    assert await talk.response() == (200, b"0")

    await talk.send(b"\r\n")

    async with asyncio.timeout(5 * HEAD_TIMEOUT_S):
        assert await talk.closed()


async def test_neither_a_slow_body_nor_a_slow_answer_is_a_slow_head(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"POST /slow HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\na")
    await asyncio.sleep(1.5 * HEAD_TIMEOUT_S)
    await talk.send(b"bc")

    assert await talk.response() == (200, b"3")


async def test_a_next_head_may_wait_for_the_answer_before_it(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET /slow HTTP/1.1\r\nHost: shop\r\n\r\nGET / HTTP/1.1\r\n")
    assert await talk.response() == (200, b"0")

    await talk.send(b"Host: shop\r\n\r\n")

    assert await talk.response() == (200, b"0")


@pytest.mark.parametrize(
    ("request_head", "refusal"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", (400, "host_required")),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", (400, "host_required")),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", (400, "host_required")),
        (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: shop\r\n\r\n", (414, "uri_too_long")),
        (b"GET / HTTP/1.1\r\nHost: shop\r\n" + b"X: y\r\n" * 100 + b"\r\n", (431, "headers_too_large")),
        (b"GET / HTTP/1.1\r\nHost: shop\r\nX: " + b"y" * 32768 + b"\r\n\r\n", (431, "headers_too_large")),
        (b"NONSENSE\r\n\r\n", (400, "malformed_request")),
        (b"BREW / HTTP/1.1\r\nHost: shop\r\n\r\n", (400, "malformed_request")),
        (b"CONNECT shop:443 HTTP/1.1\r\nHost: shop\r\n\r\n", (400, "malformed_request")),
        (b"GET /\xff HTTP/1.1\r\nHost: shop\r\n\r\n", (400, "malformed_request")),
        (
            b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            (400, "malformed_request"),
        ),
    ],
)
async def test_a_bad_head_is_refused_with_its_reason(
    connect: Connect, request_head: bytes, refusal: tuple[int, str]
) -> None:
    talk = await connect()
    await talk.send(request_head)

    assert await talk.problem() == refusal


async def test_an_endless_header_is_cut_before_it_fills_the_memory(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET / HTTP/1.1\r\nHost: shop\r\nX: ")

    async def flood() -> None:
        for _ in range(16 * 2**20 // 2**16):
            await talk.send(b"y" * 2**16)

    with pytest.raises(ConnectionError):
        await flood()


async def test_the_limits_themselves_are_accepted(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET / HTTP/1.1\r\nHost: shop\r\n" + b"X: y\r\n" * 99 + b"\r\n")
    assert await talk.response() == (200, b"0")

    await talk.send(b"GET / HTTP/1.0\r\n\r\n")
    assert await talk.response() == (200, b"0")


# Bodies and answers


async def drip(talk: Talk, opening: bytes, pause: float) -> None:
    await talk.send(opening)
    while True:
        await talk.send(b"a")
        await asyncio.sleep(pause)


@pytest.mark.parametrize(
    "opening",
    [
        b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
    ],
)
async def test_a_body_that_comes_in_drops_is_refused(connect: Connect, opening: bytes) -> None:
    talk = await connect()
    dripping = asyncio.create_task(drip(talk, opening, BODY_TIMEOUT_S / 20))

    async with asyncio.timeout(4 * BODY_TIMEOUT_S):
        status, body = await talk.response()
    dripping.cancel()

    assert (status, json.loads(body)["code"]) == (408, "request_timeout")


async def test_a_body_that_is_not_read_any_more_does_not_hold_its_connection(connect: Connect) -> None:
    talk = await connect()
    dripping = asyncio.create_task(drip(talk, b"POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n", 0.03))
    assert await talk.response() == (200, b"deaf")

    async with asyncio.timeout(4 * BODY_TIMEOUT_S):
        assert await talk.closed()
    dripping.cancel()


async def test_a_large_body_has_the_time_that_it_needs(connect: Connect) -> None:
    talk = await connect()
    pieces, piece = 12, bytes(int(Impatient.slowest_body * BODY_TIMEOUT_S / 4))
    length = str(pieces * len(piece)).encode()
    await talk.send(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: " + length + b"\r\n\r\n")

    for _ in range(pieces):  # twice the minimum pace, and in all longer than a body's time
        await asyncio.sleep(BODY_TIMEOUT_S / 8)
        await talk.send(piece)

    assert await talk.response() == (200, length)


async def test_a_body_is_not_late_while_it_is_the_application_that_does_not_read(connect: Connect) -> None:
    talk = await connect()
    size = 2**18
    await talk.send(b"POST /late HTTP/1.1\r\nHost: shop\r\nContent-Length: " + str(size).encode() + b"\r\n\r\n")
    await talk.send(bytes(size))

    assert await talk.response() == (200, str(size).encode())


async def test_who_does_not_read_an_answer_is_cut_off(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET /large HTTP/1.1\r\nHost: shop\r\n\r\n")

    await asyncio.sleep(1.5 * WRITE_TIMEOUT_S)

    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await talk.response()


async def test_who_reads_slowly_gets_all_of_it(connect: Connect) -> None:
    talk = await connect()
    await talk.send(b"GET /large HTTP/1.1\r\nHost: shop\r\n\r\n")
    await asyncio.sleep(WRITE_TIMEOUT_S / 2)

    status, body = await talk.response()

    assert (status, len(body)) == (200, LARGE)
