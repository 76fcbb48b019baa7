"""The tier that all processes share: Redis, asked for many keys at a time and never waited for long.

While Redis is away there is no shared tier, and that is all: whoever asks for an entry finds none, and whoever wants
to compute one may.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.core.batching import Batch
from app.core.cache.entries import Entry
from app.core.logging import get_logger

logger = get_logger(__name__)
Answer = TypeVar("Answer")

TIMEOUT = 0.05  # seconds; redis-py's defaults would hold a request for up to a minute
CONNECTIONS = 8
PAUSE_AFTER_FAILURE = 1.0  # seconds without a question, so that an outage costs one timeout a second
LEASE_MS = 3_000  # a process that dies with a lease holds the others up no longer than this
CLOCKS_DIFFER = 0.1  # seconds between the clocks of two machines, at the most
# The last one is what uvloop says of a connection that was reset while nobody looked, and redis-py hands it on.
_AWAY = (RedisError, OSError, TimeoutError, RuntimeError)
LARGEST = 256 * 1024  # bytes of one entry
STORES_A_SECOND = 100  # so that a flood of different questions does not fill Redis, which is the broker as well


class SharedTier:
    """Entries under `namespace`, which must be another for code that answers otherwise."""

    def __init__(self, redis_url: str, namespace: str, keep_seconds: float) -> None:
        pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._namespace = namespace.encode() + b":"
        self._keep_ms = int(keep_seconds * 1000)
        self._fetches = Batch(self._fetch_many)
        self._claims = Batch(self._claim_many)
        self._away_until = 0.0
        self._stores_left = float(STORES_A_SECOND)
        self._counted_at = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()

    async def fetch(self, key: bytes) -> Entry | None:
        stored = None if self._is_away() else await self._fetches.get(self._namespace + key)
        if stored is None:
            return None
        entry = Entry.from_bytes(stored)
        entry.computed_at -= CLOCKS_DIFFER
        return entry

    async def claim(self, key: bytes) -> bool:
        """Whether it is on this process to compute the entry; else another one is at it."""
        return self._is_away() or bool(await self._claims.get(self._namespace + key))

    def store(self, key: bytes, entry: Entry) -> None:
        """Keep the entry, in the background, and let go of the claim."""
        worth_it = len(entry.body) <= LARGEST and self._may_store()
        self._later(self._settle(self._namespace + key, entry.to_bytes() if worth_it else None))

    def give_up(self, key: bytes) -> None:
        """Let go of the claim, without an entry."""
        self._later(self._settle(self._namespace + key, None))

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    async def _fetch_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        async def fetch() -> Sequence[Any]:
            return await self._redis.mget(keys)

        found = await self._unless_away(fetch)
        return {key: stored for key, stored in zip(keys, found or (), strict=False) if stored is not None}

    async def _claim_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bool]:
        async def claim() -> Sequence[Any]:
            pipeline = self._redis.pipeline(transaction=False)
            for key in keys:
                pipeline.set(_lease(key), b"1", nx=True, px=LEASE_MS)
            return await pipeline.execute()

        claimed = await self._unless_away(claim)
        return dict.fromkeys(keys, True) if claimed is None else dict(zip(keys, map(bool, claimed), strict=True))

    async def _settle(self, key: bytes, stored: bytes | None) -> None:
        async def settle() -> None:
            pipeline = self._redis.pipeline(transaction=False)
            if stored is not None:
                pipeline.set(key, stored, px=self._keep_ms)
            pipeline.delete(_lease(key))
            await pipeline.execute()

        await self._unless_away(settle)

    async def _unless_away(self, ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Redis's answer, None without one."""
        if self._is_away():
            return None
        try:
            return await ask()
        except _AWAY as error:
            if not self._is_away():
                logger.warning("the shared cache is away", error=type(error).__name__)
            self._away_until = time.monotonic() + PAUSE_AFTER_FAILURE
            return None

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _may_store(self) -> bool:
        now = time.monotonic()
        self._stores_left = min(STORES_A_SECOND, self._stores_left + (now - self._counted_at) * STORES_A_SECOND)
        self._counted_at = now
        if self._stores_left < 1:
            return False
        self._stores_left -= 1
        return True

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _lease(key: bytes) -> bytes:
    return key + b":lease"
