"""What lets one repository work in either kind of transaction: on a session, or on asyncpg's own connection."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.reader import Query


class Statements(Protocol):
    """What runs queries."""

    async def fetch(self, query: Query, **parameters: Any) -> Sequence[Any]:
        """All rows; columns by number."""


class SessionStatements:
    """Inside a session's transaction, after whatever its entities have to write."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def fetch(self, query: Query, **parameters: Any) -> Sequence[Any]:
        await self._session.flush()
        connection = await self._session.connection()
        found = await connection.exec_driver_sql(query.sql, tuple(query.arguments(parameters)))
        return found.all() if found.returns_rows else ()


class ConnectionStatements:
    """Without a session: for the few transactions that make up most of a shop's writing."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, query: Query, **parameters: Any) -> Sequence[Any]:
        rows: Sequence[Any] = await self._connection.fetch(query.sql, *query.arguments(parameters))
        return rows
