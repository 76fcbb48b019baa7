"""Whoever has not begun to answer in time is given up."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.core.deadline import Deadline

SECONDS = 0.2


class Slow:
    """Waits before it answers (`/late`), while it answers (`/stream`), or raises a TimeoutError of its own."""

    cancelled = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["path"]:
            case "/late":
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    self.cancelled += 1
                    raise
            case "/stream":
                await StreamingResponse(self.pieces())(scope, receive, send)
            case "/own":
                raise TimeoutError
            case _:
                body = await Request(scope, receive).body()
                await PlainTextResponse(body)(scope, receive, send)

    async def pieces(self) -> AsyncIterator[bytes]:
        yield b"first "
        await asyncio.sleep(2 * SECONDS)
        yield b"last"


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
async def client(slow: Slow) -> AsyncIterator[httpx.AsyncClient]:
    late = PlainTextResponse("late", 503)
    app = Deadline(slow, seconds=lambda scope: SECONDS if scope["path"] != "/patient" else 60, late=late)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        yield client


async def test_what_takes_too_long_is_cancelled_and_answered_for(client: httpx.AsyncClient, slow: Slow) -> None:
    response = await client.get("/late")

    assert (response.status_code, response.text) == (503, "late")
    assert slow.cancelled == 1


async def test_an_answer_that_has_begun_may_go_on(client: httpx.AsyncClient) -> None:
    assert (await client.get("/stream")).text == "first last"


async def test_what_is_quick_is_left_alone(client: httpx.AsyncClient) -> None:
    assert (await client.post("/", content=b"quick")).text == "quick"


async def test_another_time_out_is_not_ours(client: httpx.AsyncClient) -> None:
    with pytest.raises(TimeoutError):
        await client.get("/own")
