"""Exact limits for all processes: slowapi on Redis, kept off the event loop (docs/decisions/0012-rate-limits.md).

slowapi talks to Redis synchronously, so whoever counts does it in a thread. While Redis is away each process counts
for itself, and lets pass its share of the limit: all together no more than the limit.
"""

import time
from collections.abc import Callable, Mapping
from math import ceil
from threading import Lock
from typing import NamedTuple, cast

from limits import parse
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request

from app.core.logging import get_logger

logger = get_logger(__name__)

REDIS_TIMEOUT = 0.1  # seconds; redis-py's defaults would hold a thread for up to a minute
HEADERS = "rate_limit_headers"  # the name in a request's state, for the layer that finishes its answer
PAUSE_AFTER_FAILURE = 1.0  # seconds without a question, so that an outage costs one timeout a second


class Limit(NamedTuple):
    """What one network may do, and what one account may do wherever it is; for example `10/minute`."""

    per_address: str
    per_account: str | None = None


class Quota(NamedTuple):
    """What is left of one limit: `remaining` of `limit`, and `reset` seconds until there is more."""

    policy: str
    limit: int
    window: int
    remaining: int
    reset: int


class LimitReached(Exception):
    """Beyond a limit: the last of the quotas."""

    def __init__(self, quotas: list[Quota]) -> None:
        super().__init__(quotas)
        self.quotas = quotas
        self.limit = f"{quotas[-1].limit} in {quotas[-1].window} seconds"
        self.retry_after = quotas[-1].reset


class RateLimits:
    """The named limits of one application, for example `{"sign-in": Limit("10/minute")}`.

    `processes` is how many of them share the limits, for while they cannot.
    """

    def __init__(self, redis_url: str, limits: Mapping[str, Limit], *, processes: int, enabled: bool) -> None:
        self.enabled = enabled
        policies = {
            f"{name}-per-{who}": limit
            for name, both in limits.items()
            for who, limit in (("address", both.per_address), ("account", both.per_account))
            if limit
        }
        self._with_account = {name for name, both in limits.items() if both.per_account}
        shares = {policy: _share(limit, processes) for policy, limit in policies.items()}
        self._shared = _Counters(redis_url, policies, _bounded_redis())
        self._own = _Counters("memory://", shares)
        self._breaker = _Breaker()

    def check(self, name: str, address: str, account: str | None = None) -> list[Quota]:
        """Count one request, and return what is left of each limit. Blocking: call in a thread.

        Raises:
            LimitReached: this one is beyond a limit.
        """
        who = {f"{name}-per-account": account} if account and name in self._with_account else {}
        quotas: list[Quota] = []
        for policy, caller in {**who, f"{name}-per-address": address}.items():
            passes, quota = self._count(policy, caller)
            quotas.append(quota)
            if not passes:
                raise LimitReached(quotas)
        return quotas

    def _count(self, policy: str, caller: str) -> tuple[bool, Quota]:
        if self._breaker.lets_pass():
            try:
                counted = self._shared.count(policy, caller)
            except RedisError as error:
                self._breaker.failed()
                logger.warning("limits are counted by each process", error=type(error).__name__)
            else:
                self._breaker.succeeded()
                return counted
        return self._own.count(policy, caller)


class _Counters:
    """slowapi's limits on one storage."""

    def __init__(self, storage: str, limits: Mapping[str, str], options: Mapping[str, object] | None = None) -> None:
        self._limiter = Limiter(
            key_func=_caller,
            storage_uri=storage,
            storage_options=cast("dict[str, str]", options or {}),
            strategy="moving-window",  # no double quota at the edge of two windows
            key_prefix="limit",
        )
        self._checks = {policy: self._check(policy, limit) for policy, limit in limits.items()}

    def count(self, policy: str, caller: str) -> tuple[bool, Quota]:
        request = Request({"type": "http", "path": policy, "headers": [], "state": {"caller": caller}})
        passes = True
        try:
            self._checks[policy](request)
        except RateLimitExceeded:
            passes = False
        item, identifiers = request.state.view_rate_limit  # where slowapi leaves what it has just counted
        reset, remaining = self._limiter.limiter.get_window_stats(item, *identifiers)
        wait = max(1, ceil(reset - time.time()))
        return passes, Quota(policy, item.amount, item.get_expiry(), max(0, remaining), wait)

    def _check(self, policy: str, limit: str) -> Callable[[Request], None]:
        def count(request: Request) -> None:
            """slowapi does the counting in the wrapper around this."""

        count.__name__ = policy  # slowapi files limits under the function's name
        return cast("Callable[[Request], None]", self._limiter.shared_limit(limit, scope=policy)(count))


class _Breaker:
    """After a failure one caller a second tries again, and all others do not wait for what may be away."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._again_at = 0.0  # 0: all is well

    def lets_pass(self) -> bool:
        if not self._again_at:
            return True
        with self._lock:
            if time.monotonic() < self._again_at:
                return False
            self._again_at = time.monotonic() + PAUSE_AFTER_FAILURE
            return True

    def failed(self) -> None:
        self._again_at = time.monotonic() + PAUSE_AFTER_FAILURE

    def succeeded(self) -> None:
        self._again_at = 0.0


def as_headers(quotas: list[Quota]) -> list[tuple[bytes, bytes]]:
    """The fields of draft-ietf-httpapi-ratelimit-headers-10: lists of structured fields (RFC 9651)."""
    policies = ", ".join(f'"{quota.policy}";q={quota.limit};w={quota.window}' for quota in quotas)
    left = ", ".join(f'"{quota.policy}";r={quota.remaining};t={quota.reset}' for quota in quotas)
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode())]


def _caller(request: Request) -> str:
    return str(request.state.caller)


def _share(limit: str, processes: int) -> str:
    whole = parse(limit)
    return f"{max(1, whole.amount // processes)} per {whole.multiples} {whole.GRANULARITY.name}"


def _bounded_redis() -> dict[str, object]:
    return {
        "socket_timeout": REDIS_TIMEOUT,
        "socket_connect_timeout": REDIS_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
