"""Named limits, counted in Redis for all processes, and by each process for itself while Redis is away."""

import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import monotonic

import pytest

from app.core.ids import uuid7
from app.core.rate_limit import Limit, LimitReached, Quota, RateLimits, as_headers
from app.dev.embedded.processes import free_port

ADDRESS = "192.0.2.1"


@pytest.fixture
def name() -> str:
    """A limit of this test's own: the counters in Redis outlive a test."""
    return f"test-{uuid7()}"


def limits_of(redis_url: str, limits: Mapping[str, str | Limit], processes: int = 1) -> RateLimits:
    both = {name: limit if isinstance(limit, Limit) else Limit(limit) for name, limit in limits.items()}
    return RateLimits(redis_url, both, processes=processes, enabled=True)


def allowed(limits: RateLimits, name: str, address: str = ADDRESS, account: str | None = None, tries: int = 8) -> int:
    """How many of these requests pass."""
    passed = 0
    for _ in range(tries):
        try:
            limits.check(name, address, account)
        except LimitReached:
            continue
        passed += 1
    return passed


def test_processes_share_one_count(redis_url: str, name: str) -> None:
    first, second = (limits_of(redis_url, {name: "5/minute"}) for _ in range(2))

    assert allowed(first, name, tries=3) == 3
    assert allowed(second, name) == 2
    assert allowed(second, name, "192.0.2.2") == 5


def test_a_burst_at_the_same_moment_gets_no_more_than_the_limit(redis_url: str, name: str) -> None:
    limits = limits_of(redis_url, {name: "5/minute"})

    with ThreadPoolExecutor(8) as threads:
        passed = sum(threads.map(lambda _: allowed(limits, name, tries=5), range(8)))

    assert passed == 5


def test_limits_of_different_names_are_counted_apart(redis_url: str, name: str) -> None:
    limits = limits_of(redis_url, {name: "2/minute", f"{name}-b": "3/minute"})

    assert allowed(limits, name) == 2
    assert allowed(limits, f"{name}-b") == 3


def test_an_account_has_a_limit_of_its_own_wherever_it_is(redis_url: str, name: str) -> None:
    limits = limits_of(redis_url, {name: Limit("6/minute", per_account="3/minute")})

    assert allowed(limits, name, "192.0.2.1", "ada") == 3
    assert allowed(limits, name, "192.0.2.2", "ada") == 0
    assert allowed(limits, name, "192.0.2.1", "bob") == 3  # six from this address: that is all
    assert allowed(limits, name, "192.0.2.1", "eve") == 0


def test_what_is_left_is_told(redis_url: str, name: str) -> None:
    limits = limits_of(redis_url, {name: Limit("3/minute", per_account="2/hour")})
    account, address = f"{name}-per-account", f"{name}-per-address"

    assert limits.check(name, ADDRESS) == [Quota(address, 3, 60, 2, 60)]
    assert limits.check(name, ADDRESS, "ada") == [Quota(account, 2, 3600, 1, 3600), Quota(address, 3, 60, 1, 60)]


def test_the_fields_of_an_answer_are_structured() -> None:
    quotas = [Quota("review-per-account", 10, 60, 9, 55), Quota("review-per-address", 30, 60, 0, 7)]

    assert as_headers(quotas) == [
        (b"ratelimit-policy", b'"review-per-account";q=10;w=60, "review-per-address";q=30;w=60'),
        (b"ratelimit", b'"review-per-account";r=9;t=55, "review-per-address";r=0;t=7'),
    ]


def test_the_wait_it_names_is_the_wait_that_is_left(redis_url: str, name: str) -> None:
    limits = limits_of(redis_url, {name: "1/hour"})
    limits.check(name, ADDRESS)

    with pytest.raises(LimitReached) as reached:
        limits.check(name, ADDRESS)

    assert 3590 <= reached.value.retry_after <= 3600


# Without Redis


def test_without_redis_each_of_the_processes_has_its_share_of_the_limit(name: str) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}"
    processes = [limits_of(nowhere, {name: "5/minute"}, processes=2) for _ in range(2)]

    assert [allowed(limits, name) for limits in processes] == [2, 2]


def test_a_limit_of_one_is_not_shared_into_nothing(name: str) -> None:
    limits = limits_of(f"redis://127.0.0.1:{free_port()}", {name: "1/minute"}, processes=4)

    assert allowed(limits, name) == 1


def test_a_redis_that_hangs_is_waited_for_once(name: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        limits = limits_of(f"redis://127.0.0.1:{silent.getsockname()[1]}", {name: "1000/minute"})

        started = monotonic()
        assert allowed(limits, name, tries=200) == 200

    assert monotonic() - started < 0.5  # one time-out of 0.1 s, not two hundred


def test_the_limits_are_shared_again_when_redis_is_back(redis_url: str, name: str) -> None:
    limits = limits_of(redis_url, {name: "5/minute"})
    limits._breaker.failed()
    assert allowed(limits, name, tries=3) == 3  # counted here

    limits._breaker._again_at = monotonic()

    assert allowed(limits, name) == 5
    assert allowed(limits_of(redis_url, {name: "5/minute"}), name) == 0
