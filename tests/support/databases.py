"""Databases on the test session's server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker

WITNESSES = "witnesses"  # under this name, a connection's `info` keeps the lists of who counts its statements
ROOT = Path(__file__).parents[2]


class BorrowedConnection:
    """A pool of asyncpg's, made of the connection that a test holds: it sees what the test has not committed."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._in_turn = asyncio.Lock()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["BorrowedConnection"]:
        async with self._in_turn:
            yield self

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        for statements in self._connection.info.get(WITNESSES, []):
            statements.append(sql)
        rows: list[asyncpg.Record] = await (await self._driver()).fetch(sql, *arguments)
        return rows

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with (await self._driver()).transaction():  # a savepoint, inside the test's own
            yield

    async def _driver(self) -> Any:
        return (await self._connection.get_raw_connection()).driver_connection


class BorrowedTransactions:
    """The product's transactions, as savepoints of the transaction that a test holds."""

    def __init__(self, connection: AsyncConnection, sessions: async_sessionmaker[AsyncSession]) -> None:
        self.connection = BorrowedConnection(connection).acquire
        self.session = sessions.begin


def database_at(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


async def run_on_server(server_url: str, *statements: str) -> None:
    """Run statements that no transaction may hold, such as CREATE DATABASE."""
    connection = await asyncpg.connect(server_url.replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def copied_database(server_url: str, template: str) -> AsyncIterator[str]:
    """A database of one's own, for as long as the block lasts; its URL."""
    name = f"test_{uuid4().hex[:12]}"
    await run_on_server(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield database_at(server_url, name)
    finally:
        await run_on_server(server_url, f"DROP DATABASE {name} WITH (FORCE)")


async def migrate(url: str) -> None:
    """Bring the database to the newest migration; in a thread, for Alembic runs an event loop of its own."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = url
    await asyncio.to_thread(command.upgrade, config, "head")
