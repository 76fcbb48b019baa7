"""slowapi's limits, kept off the event loop.

slowapi talks to Redis synchronously. Decorating *endpoints* would block the event loop for a network round trip,
so each limit decorates a plain function that is a FastAPI dependency: FastAPI runs it in a worker thread. When
Redis is away slowapi counts in this process's memory and looks again with exponential back-off, so a sign-in is
neither refused nor unlimited.
"""

import ipaddress
import time
from collections.abc import Callable
from math import ceil
from typing import cast

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request

REDIS_TIMEOUT = 0.1  # seconds; redis-py's defaults would hold a thread for up to a minute

Check = Callable[[Request], None]


class LimitReached(Exception):
    """Beyond the limit; `retry_after` is in whole seconds."""

    def __init__(self, limit: str, retry_after: int) -> None:
        super().__init__(limit, retry_after)
        self.limit = limit
        self.retry_after = retry_after


class RateLimits:
    """The named limits of one application, for example `{"sign-in": "10/minute"}`."""

    def __init__(self, redis_url: str, limits: dict[str, str], *, enabled: bool) -> None:
        self._limiter = Limiter(
            key_func=client_network,
            storage_uri=redis_url,
            storage_options=cast("dict[str, str]", _bounded_redis()),
            strategy="moving-window",
            in_memory_fallback_enabled=True,
            key_prefix="limit",
            enabled=enabled,
        )
        self._checks = {name: _check(self._limiter, name, limit) for name, limit in limits.items()}

    def check(self, name: str, request: Request) -> None:
        """Count this request; raises `LimitReached` beyond the limit. Blocking: call in a thread."""
        try:
            self._checks[name](request)
        except RateLimitExceeded as error:
            item, key = request.state.view_rate_limit  # where slowapi leaves what it has just counted
            try:
                wait = ceil(self._limiter.limiter.get_window_stats(item, *key).reset_time - time.time())
            except RedisError:  # it went away between the two questions
                wait = item.get_expiry()
            raise LimitReached(str(item), max(1, wait)) from error


class RateLimit:
    """A dependency: `Depends(RateLimit("sign-in"))`. Its call is synchronous, so FastAPI runs it in a thread."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, request: Request) -> None:
        limits: RateLimits = request.app.state.rate_limits
        limits.check(self._name, request)


def client_network(request: Request) -> str:
    """The caller's address; IPv6 by its /64, which is what one subscriber gets."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host


def _check(limiter: Limiter, name: str, limit: str) -> Check:
    def count(request: Request) -> None:
        """slowapi does the counting in the wrapper around this."""

    count.__name__ = f"{count.__name__}_{name}"  # slowapi files limits under the function's name
    return cast("Check", limiter.shared_limit(limit, scope=name)(count))


def _bounded_redis() -> dict[str, object]:
    return {
        "socket_timeout": REDIS_TIMEOUT,
        "socket_connect_timeout": REDIS_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
