"""The short way from PostgreSQL: queries that SQLAlchemy composes and asyncpg runs.

For the few reads that make up most of a shop's traffic. A session, its compiled cache and a greenlet for each round
trip cost several times what such a query costs (docs/decisions/0008-the-read-path.md has the figures); everything
else goes through `Database.snapshot()` and `Database.transaction()`.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql import ClauseElement

LOST_CONNECTION = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.InternalClientError,  # what asyncpg says of a connection whose last words it has yet to read
    ConnectionError,
)
_DIALECT = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's dialects have no annotations


class Query:
    """A Core statement compiled once, with asyncpg's numbered parameters.

    Values reach asyncpg as they are: a statement that needs SQLAlchemy to convert them, or whose text depends on
    them (an expanding `IN`: use `= ANY`), is refused when it is built. So is an INSERT or UPDATE that leaves a column
    to a default which SQLAlchemy computes.
    """

    def __init__(self, statement: Executable) -> None:
        if not isinstance(statement, ClauseElement):
            raise TypeError("only what SQLAlchemy can compile")
        compiled: Any = statement.compile(dialect=_DIALECT)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise ValueError("the text of a query may not depend on its values")
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise ValueError("a query says the values of all columns")
        self.sql: str = compiled.string
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._constants: dict[str, Any] = {
            name: bind.value for name, bind in compiled.binds.items() if not bind.required
        }

    def arguments(self, parameters: dict[str, Any]) -> list[Any]:
        """The values in the order of their numbers.

        Raises:
            KeyError: one is missing.
        """
        values = self._constants | parameters if self._constants else parameters
        return [values[name] for name in self._names]


class Connections(Protocol):
    """Where connections come from: `asyncpg.Pool` is one."""

    def acquire(self) -> AbstractAsyncContextManager[Any]: ...


class Reader:
    """Runs queries, each on a connection of its own that stays in autocommit: no BEGIN, no COMMIT, no reset."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def fetch(self, query: Query, **parameters: Any) -> Sequence[asyncpg.Record]:
        """All rows; columns by number or by name. A lost connection is no failure yet: reading twice does no harm."""
        arguments = query.arguments(parameters)
        try:
            return await self._fetch(query.sql, arguments)
        except LOST_CONNECTION:
            return await self._fetch(query.sql, arguments)

    async def fetch_row(self, query: Query, **parameters: Any) -> asyncpg.Record | None:
        """The first row."""
        rows = await self.fetch(query, **parameters)
        return rows[0] if rows else None

    async def _fetch(self, sql: str, arguments: list[Any]) -> Sequence[asyncpg.Record]:
        async with self._connections.acquire() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
            return rows


async def keep_as_it_is(_connection: Any) -> None:
    """asyncpg asks for a reset when a connection goes back to its pool; a reader leaves nothing behind to reset."""
