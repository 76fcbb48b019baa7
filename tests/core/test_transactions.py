"""The pool of transactions: fair, healed by itself, and no connection comes back in the middle of something."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.core import transactions
from app.core.transactions import TransactionPool
from app.settings import Settings

SIZE = 2
APPLICATION = "pool-under-test"


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(
        settings.database_url.get_secret_value(),
        pool_size=SIZE,
        max_overflow=0,
        connect_args={"server_settings": {"application_name": APPLICATION}},
    )
    yield engine
    await engine.dispose()


@pytest.fixture
def pool(engine: AsyncEngine) -> TransactionPool:
    return TransactionPool(engine, SIZE, timeout=10)


async def backend(pool: TransactionPool) -> int:
    async with pool.connection() as connection:
        return int(await connection.fetchval("SELECT pg_backend_pid()"))


async def hang_up(settings: Settings) -> None:
    """What every connection sees of a server that is killed."""
    engine = create_async_engine(settings.database_url.get_secret_value())
    async with engine.connect() as connection:
        await connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"),
            {"name": APPLICATION},
        )
    await engine.dispose()


async def test_who_came_first_is_served_first(engine: AsyncEngine) -> None:
    pool, served = TransactionPool(engine, 1, timeout=10), list[int]()

    async def shop(number: int) -> None:
        for _ in range(3):  # whoever is done queues up again, behind the others
            async with pool.connection() as connection:
                served.append(number)
                await connection.fetchval("SELECT 1")

    await asyncio.gather(*(shop(number) for number in range(10)))

    assert served == [*range(10)] * 3


async def test_who_waits_too_long_is_told(engine: AsyncEngine) -> None:
    pool = TransactionPool(engine, 1, timeout=0.05)

    async with pool.connection():
        with pytest.raises(TimeoutError):
            async with pool.session():
                pytest.fail("there was no connection to be had")

    async with pool.session() as session:
        assert await session.scalar(text("SELECT 1")) == 1


async def test_a_server_that_hung_up_is_not_noticed(pool: TransactionPool, settings: Settings) -> None:
    async with pool.connection(), pool.connection():
        pass  # both connections are made

    await hang_up(settings)

    async with pool.session() as session:
        assert await session.scalar(text("SELECT 1")) == 1
    async with pool.connection() as one, pool.connection() as other:
        assert await one.fetchval("SELECT 1") + await other.fetchval("SELECT 1") == 2


@pytest.mark.parametrize(("trusted_for", "asked"), [(60, []), (-1, ["ROLLBACK", ";", "BEGIN"])])
async def test_only_who_rested_is_asked_whether_it_lives(
    pool: TransactionPool, monkeypatch: pytest.MonkeyPatch, trusted_for: float, asked: list[str]
) -> None:
    said: list[str] = []
    async with pool.connection() as connection:
        connection.add_query_logger(lambda query: said.append(query.query.rstrip(";") or ";"))
    monkeypatch.setattr(transactions, "TRUSTED_FOR", trusted_for)

    first, second = await backend(pool), await backend(pool)

    assert first == second
    assert sorted({*said} - {"SELECT pg_backend_pid()"}) == sorted(asked)


async def test_an_interrupted_transaction_never_comes_back(pool: TransactionPool) -> None:
    async def interrupted() -> int:
        async with pool.connection() as connection:
            await connection.execute("BEGIN")
            return int(await connection.fetchval("SELECT pg_backend_pid()"))

    before = await interrupted()

    assert await backend(pool) != before
