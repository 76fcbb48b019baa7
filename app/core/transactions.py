"""Connections for transactions: one pool for SQLAlchemy's sessions and for who talks to the driver itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import Any, Protocol

from sqlalchemy import event
from sqlalchemy.exc import EmulatedDBAPIException, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

TRUSTED_FOR = 1.0  # seconds: a connection that was at work so lately is not asked whether it lives


class Transactions(Protocol):
    """Where transactions happen."""

    def session(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session in a transaction, which commits when the block ends and rolls back when it raises."""

    def connection(self) -> AbstractAsyncContextManager[Any]:
        """asyncpg's own connection, in no transaction yet."""


class TransactionPool:
    """The engine's pool, fair: connections are handed out in the order in which they were asked for.

    asyncio's queue, on which SQLAlchemy's pool stands, lets whoever comes overtake those who wait, who then begin
    anew at its end: under load some wait until they give up.
    """

    def __init__(self, engine: AsyncEngine, size: int, timeout: float) -> None:
        """`size` is that of the engine's pool; who gets no turn within `timeout` seconds gets a `TimeoutError`."""
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._turns = asyncio.Semaphore(size)
        self._timeout = timeout
        event.listen(engine.sync_engine, "checkin", _remember_when)
        event.listen(engine.sync_engine, "checkout", _refuse_the_dead)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        async with self._turn(), self._sessions.begin() as session:
            yield session

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        async with self._turn():
            try:
                pooled = await self._engine.raw_connection()
            except EmulatedDBAPIException as error:
                raise error.driver_exception from error
            connection: Any = pooled.driver_connection
            try:
                yield connection
            finally:
                if connection.is_in_transaction():  # its end was interrupted: nobody knows what became of it
                    pooled.invalidate()
                else:
                    pooled.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._turns.locked():
            async with asyncio.timeout(self._timeout):
                await self._turns.acquire()
        else:
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()


def _remember_when(_connection: Any, record: Any) -> None:
    record.info["last_at_work"] = monotonic()


def _refuse_the_dead(connection: Any, record: Any, pooled: Any) -> None:
    """What `pool_pre_ping` does, without its three round trips before every transaction.

    Whose server hung up is known without asking. The others are asked after a pause, in which a network may have
    forgotten them.
    """
    if pooled.driver_connection.is_closed():
        raise InvalidatePoolError
    if monotonic() - record.info.get("last_at_work", monotonic()) > TRUSTED_FOR:
        try:
            connection.ping()
        except (EmulatedDBAPIException, OSError) as error:
            raise InvalidatePoolError from error
