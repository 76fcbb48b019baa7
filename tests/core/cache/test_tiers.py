"""Where answers are kept: in memory, and in Redis."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from app.core.cache import MemoryTier, SharedTier
from app.core.cache.entries import OVERHEAD, Entry
from app.core.cache.shared import CLOCKS_DIFFER

HEADERS = [(b"content-type", b"application/json"), (b"etag", b'"abc"'), (b"x-odd", b"\xe9")]


def entry(body: bytes = b"{}", *tags: str) -> Entry:
    return Entry(HEADERS, body, tags, time.time())


def test_memory_forgets_what_was_not_asked_for_longest() -> None:
    tier = MemoryTier(3 * (OVERHEAD + 1250))
    for key in (b"a", b"b", b"c"):
        tier.put(key, entry(b"x" * 1000))
    tier.get(b"a")
    tier.put(b"d", entry(b"x" * 1000))

    assert [key for key in (b"a", b"b", b"c", b"d") if tier.get(key)] == [b"a", b"c", b"d"]


def test_memory_is_bounded_when_keys_come_again_and_refuses_what_is_too_large() -> None:
    tier = MemoryTier(10_000)
    for size in (1_000, 2_000, 100):
        tier.put(b"a", entry(b"x" * size))
    tier.put(b"b", entry(b"x" * 10_000))

    assert tier._bytes == entry(b"x" * 100).size
    assert tier.get(b"b") is None


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()
        yield redis


@pytest.fixture
async def tiers(redis: Redis, redis_url: str) -> AsyncIterator[tuple[SharedTier, SharedTier]]:
    """Two processes' views of one Redis."""
    tiers = SharedTier(redis_url, "test", 60), SharedTier(redis_url, "test", 60)
    yield tiers
    for tier in tiers:
        await tier.close()


async def settled(tier: SharedTier) -> None:
    await asyncio.gather(*tier._tasks)


async def test_what_one_process_stores_another_finds(tiers: tuple[SharedTier, SharedTier]) -> None:
    one, other = tiers
    stored = entry(b'{"a": "\n"}', "product:1", "catalogue")
    one.store(b"key", stored)
    await settled(one)

    found = await other.fetch(b"key")
    assert found is not None
    assert (found.headers, found.body, found.tags) == (stored.headers, stored.body, stored.tags)
    assert found.computed_at == pytest.approx(stored.computed_at - CLOCKS_DIFFER)
    assert await other.fetch(b"another key") is None


async def test_one_process_computes_until_it_has_stored_or_given_up(tiers: tuple[SharedTier, SharedTier]) -> None:
    one, other = tiers
    assert await one.claim(b"key")
    assert not await other.claim(b"key")
    one.give_up(b"key")
    await settled(one)
    assert await other.claim(b"key")
    other.store(b"key", entry())
    await settled(other)
    assert await one.claim(b"key")


async def test_a_dead_process_does_not_keep_its_claim(tiers: tuple[SharedTier, SharedTier], redis: Redis) -> None:
    assert await tiers[0].claim(b"key")

    assert 0 < await redis.pttl(b"test:key:lease") <= 3_000


async def test_without_redis_everybody_computes_and_nobody_waits() -> None:
    tier = SharedTier("redis://127.0.0.1:1/0", "test", 60)
    started = time.monotonic()
    for _ in range(100):
        assert await tier.fetch(b"key") is None
        assert await tier.claim(b"key")
        tier.store(b"key", entry())
    await tier.close()

    assert time.monotonic() - started < 1


async def test_a_flood_of_questions_does_not_fill_redis(tiers: tuple[SharedTier, SharedTier], redis: Redis) -> None:
    tier = tiers[0]
    for number in range(1_000):
        tier.store(str(number).encode(), entry())
    await settled(tier)

    assert await redis.dbsize() < 200
