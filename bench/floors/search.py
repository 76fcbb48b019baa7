"""Floor b of a search: the very SQL of the service with the very arguments, run by asyncpg's pool as it comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs

import asyncpg
import orjson

from app.core.pagination import CursorSigner
from app.core.reader import Reader
from app.database import Database
from app.repositories.listings.reader import ListingReader
from app.schemas.listings import ProductQuery
from app.services.listings import ListingService
from bench.floors.products import PAGE, card

Statement = tuple[str, tuple[Any, ...]]


class Search:
    """What a query runs is recorded from the service's own code the first time that it is asked."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", media_url: str) -> None:
        self._pool = pool
        self._media_url = media_url
        self._statements: dict[str, list[Statement]] = {}

    async def page(self, query: str) -> bytes:
        """The cards, and the facets, which PostgreSQL makes."""
        listing, facets = self._statements.get(query) or await self._recorded(query)
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(listing[0], *listing[1])
            beside = await connection.fetchval(facets[0], *facets[1])
        cards = [card(row, self._media_url) for row in rows[:PAGE]]
        return orjson.dumps({"data": cards, "facets": orjson.Fragment(beside)})

    async def _recorded(self, query: str) -> list[Statement]:
        recorder = _Recorder(self._pool)
        listings = ListingReader(Reader(recorder), self._media_url)
        database = cast("Database", SimpleNamespace(listings=listings))
        service = ListingService(database, CursorSigner("for cursors that nobody follows"))
        await service.page(ProductQuery.model_validate({name: value for name, [value] in parse_qs(query).items()}))
        self._statements[query] = recorder.statements
        return recorder.statements


class _Recorder:
    """Connections that remember what they were asked."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self.statements: list[Statement] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        async with self._pool.acquire() as connection:

            async def fetch(sql: str, *arguments: Any) -> list[asyncpg.Record]:
                self.statements.append((sql, arguments))
                return await connection.fetch(sql, *arguments)

            yield SimpleNamespace(fetch=fetch)
