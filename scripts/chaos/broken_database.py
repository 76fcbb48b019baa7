"""PostgreSQL crashes, falls silent, gets slow or has no connection left: clean 503s, and all resumes by itself."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import asyncpg

from app.dev.surroundings import DATABASE
from scripts.chaos.faults import EVERYBODY, Fault
from scripts.chaos.surroundings import ChaosShop

SLOW = 0.2  # seconds for each message to the server
HELD = 1.5  # seconds


@contextmanager
def _crashed(shop: ChaosShop, _round: int) -> Iterator[None]:
    shop.database.crash()
    yield
    shop.recover_database()


@contextmanager
def _frozen(shop: ChaosShop, _round: int) -> Iterator[None]:
    with shop.to_database.frozen():
        yield


@contextmanager
def _slow(shop: ChaosShop, _round: int) -> Iterator[None]:
    with shop.to_database.delayed(SLOW):
        yield


@contextmanager
def _full(shop: ChaosShop, _round: int) -> Iterator[None]:
    """Somebody else has all connections: whoever of us loses one gets no other."""
    asyncio.run(_take_all(shop.database.running.url(DATABASE, driver="postgresql")))
    yield


async def _take_all(url: str) -> None:
    taken: list[asyncpg.Connection] = []
    try:
        await _take(url, taken)
        await taken[0].execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'emporium%'"
        )
        until = asyncio.get_running_loop().time() + HELD
        while asyncio.get_running_loop().time() < until:
            await _take(url, taken)
            await asyncio.sleep(0.02)
    finally:
        await asyncio.gather(*(connection.close() for connection in taken))


async def _take(url: str, taken: list[asyncpg.Connection]) -> None:
    with suppress(asyncpg.TooManyConnectionsError):
        while True:
            taken.append(await asyncpg.connect(url, server_settings={"application_name": "somebody else"}))


FAULTS = (
    Fault("database-crash", "PostgreSQL crashes and restarts", _crashed, lasts=0.2, may_say_503=EVERYBODY),
    Fault("database-frozen", "PostgreSQL does not answer", _frozen, lasts=4.5, may_say_503=EVERYBODY),
    Fault("database-slow", "PostgreSQL answers 200 ms late", _slow, lasts=1.0, may_say_503=EVERYBODY),
    Fault("database-full", "PostgreSQL has no connection left", _full, lasts=0.0, may_say_503=EVERYBODY),
)
