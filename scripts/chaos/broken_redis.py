"""Redis is away, silent, slow or empty: the shop sells as if nothing were."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from scripts.chaos.faults import Fault
from scripts.chaos.surroundings import ChaosShop

SLOW = 0.1  # seconds


@contextmanager
def _refused(shop: ChaosShop, _round: int) -> Iterator[None]:
    with shop.to_redis.refusing():
        yield


@contextmanager
def _frozen(shop: ChaosShop, _round: int) -> Iterator[None]:
    with shop.to_redis.frozen():
        yield


@contextmanager
def _slow(shop: ChaosShop, _round: int) -> Iterator[None]:
    with shop.to_redis.delayed(SLOW):
        yield


@contextmanager
def _emptied(shop: ChaosShop, _round: int) -> Iterator[None]:
    """Caches, limits and the queued tasks are gone."""
    with Redis.from_url(shop.valkey.url()) as redis:
        redis.flushall()
    yield


FAULTS = (
    Fault("redis-refused", "Redis refuses connections", _refused, lasts=1.0),
    Fault("redis-frozen", "Redis does not answer", _frozen, lasts=1.0),
    Fault("redis-slow", "Redis answers 100 ms late", _slow, lasts=0.7),
    Fault("redis-flush", "Redis forgets everything (FLUSHALL)", _emptied, lasts=0.3),
)
