"""Named limits, counted in Redis for all processes, and in memory while Redis is away."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
from starlette.requests import Request

from app.core.ids import uuid7
from app.core.rate_limit import LimitReached, RateLimits, client_network
from app.dev.embedded.processes import free_port


def request_from(host: str | None, **headers: str) -> Request:
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": (host, 50000) if host else None,
        }
    )


@pytest.fixture
def name() -> str:
    """A limit of this test's own: the counters in Redis outlive a test."""
    return f"test-{uuid7()}"


def allowed(limits: RateLimits, name: str, host: str = "192.0.2.1", tries: int = 8, **headers: str) -> int:
    """How many of these requests pass."""
    passed = 0
    for _ in range(tries):
        try:
            limits.check(name, request_from(host, **headers))
        except LimitReached:
            continue
        passed += 1
    return passed


def test_processes_share_one_count(redis_url: str, name: str) -> None:
    first, second = (RateLimits(redis_url, {name: "5/minute"}, enabled=True) for _ in range(2))

    assert allowed(first, name, tries=3) == 3
    assert allowed(second, name) == 2
    assert allowed(second, name, "192.0.2.2") == 5


def test_a_burst_at_the_same_moment_gets_no_more_than_the_limit(redis_url: str, name: str) -> None:
    limits = RateLimits(redis_url, {name: "5/minute"}, enabled=True)

    with ThreadPoolExecutor(8) as threads:
        passed = sum(threads.map(lambda _: allowed(limits, name, tries=5), range(8)))

    assert passed == 5


def test_limits_of_different_names_are_counted_apart(redis_url: str, name: str) -> None:
    limits = RateLimits(redis_url, {name: "2/minute", f"{name}-b": "3/minute"}, enabled=True)

    assert allowed(limits, name) == 2
    assert allowed(limits, f"{name}-b") == 3


def test_without_redis_the_limit_still_holds_and_nobody_waits(name: str) -> None:
    limits = RateLimits(f"redis://127.0.0.1:{free_port()}", {name: "5/minute"}, enabled=True)

    started = monotonic()

    assert allowed(limits, name) == 5
    assert monotonic() - started < 1


def test_limits_can_be_switched_off_for_load_tests(redis_url: str, name: str) -> None:
    limits = RateLimits(redis_url, {name: "5/minute"}, enabled=False)

    assert allowed(limits, name) == 8


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X_FORWARDED_FOR", "X-Real-IP", "Forwarded"])
def test_a_header_does_not_make_another_caller(redis_url: str, name: str, header: str) -> None:
    limits = RateLimits(redis_url, {name: "2/minute"}, enabled=True)

    passed = sum(allowed(limits, name, tries=1, **{header: f"198.51.100.{number}"}) for number in range(8))

    assert passed == 2


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("not an address", "not an address"),
        (None, "unknown"),
    ],
)
def test_a_caller_is_an_ipv4_address_or_an_ipv6_subscriber(host: str | None, network: str) -> None:
    assert client_network(request_from(host)) == network


def test_the_wait_it_names_is_the_wait_that_is_left(redis_url: str, name: str) -> None:
    limits = RateLimits(redis_url, {name: "1/hour"}, enabled=True)
    limits.check(name, request_from("192.0.2.1"))

    with pytest.raises(LimitReached) as reached:
        limits.check(name, request_from("192.0.2.1"))

    assert 3590 <= reached.value.retry_after <= 3600
