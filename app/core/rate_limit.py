"""slowapi's limits, kept off the event loop.

slowapi talks to Redis synchronously. Decorating *endpoints* would block the event loop for a network round trip,
so each limit decorates a plain function that is a FastAPI dependency: FastAPI runs it in a worker thread. When
Redis is away slowapi counts in this process's memory and looks again with exponential back-off, so a sign-in is
neither refused nor unlimited.
"""

import ipaddress
from collections.abc import Callable
from typing import cast

from redis.backoff import NoBackoff
from redis.retry import Retry
from slowapi import Limiter
from starlette.requests import Request

REDIS_TIMEOUT = 0.1  # seconds; redis-py's defaults would hold a thread for up to a minute

Check = Callable[[Request], None]


class RateLimits:
    """The named limits of one application, for example `{"sign-in": "10/minute"}`."""

    def __init__(self, redis_url: str, limits: dict[str, str], *, enabled: bool) -> None:
        limiter = Limiter(
            key_func=client_network,
            storage_uri=redis_url,
            storage_options=cast("dict[str, str]", _bounded_redis()),
            strategy="moving-window",
            in_memory_fallback_enabled=True,
            key_prefix="limit",
            enabled=enabled,
        )
        self._checks = {name: _check(limiter, name, limit) for name, limit in limits.items()}

    def check(self, name: str, request: Request) -> None:
        """Count this request; raises slowapi's `RateLimitExceeded` beyond the limit. Blocking: call in a thread."""
        self._checks[name](request)


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
