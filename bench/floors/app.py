"""The bare ASGI application of the floors a and b.

`GET /bytes/NAME` sends the file NAME of the directory FLOOR_BODIES (floor a); `GET /detail/SLUG`, `GET /list?…` and
`GET /search?…` read the shop's tables (floor b).
"""

import os
from pathlib import Path
from urllib.parse import parse_qs

import asyncpg
from starlette.types import Message, Receive, Scope, Send

from bench.floors.products import Products
from bench.floors.search import Search

JSON = (b"content-type", b"application/json")


class Floors:
    def __init__(self) -> None:
        self._directory = Path(os.environ["FLOOR_BODIES"])
        self._bodies: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        _, kind, *rest = scope["path"].split("/")
        if kind == "bytes":
            body = self._bytes(rest[0])
            await _answer(send, 200 if body else 304, body)
        elif kind == "detail":
            body = await self._products.detail(rest[0])
            await _answer(send, 200 if body else 404, body)
        elif kind == "list":
            await _answer(send, 200, await self._products.page(parse_qs(scope["query_string"].decode())))
        elif kind == "search":
            await _answer(send, 200, await self._search.page(scope["query_string"].decode()))
        else:
            await _answer(send, 204, b"")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        media_url = os.environ["MEDIA_URL"]
        async with asyncpg.create_pool(os.environ["FLOOR_DATABASE_URL"]) as pool:
            self._products, self._search = Products(pool, media_url), Search(pool, media_url)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _bytes(self, name: str) -> bytes:
        body = self._bodies.get(name)
        if body is None:
            body = self._bodies[name] = (self._directory / name).read_bytes()
        return body


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [JSON, (b"content-length", str(len(body)).encode())] if body else []
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
