"""What one address may ask of one process."""

import pytest

from app.core.throttle import WINDOW, Most, Throttle


def requests(throttled: Throttle, count: int, method: str = "GET", host: str = "192.0.2.1") -> list[bool]:
    """Whether each of these passes."""
    return [not throttled.refuses({"method": method, "client": (host, 1)}) for _ in range(count)]


def test_reads_and_writes_are_counted_apart_and_by_address() -> None:
    throttled = Throttle(Most(reads=3, writes=1))

    assert requests(throttled, 4) == [True, True, True, False]
    assert requests(throttled, 1, "HEAD") == [False]
    assert requests(throttled, 2, "POST") == [True, False]
    assert requests(throttled, 3, host="192.0.2.2") == [True, True, True]


def test_a_new_window_begins_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    throttled, now = Throttle(Most(reads=1, writes=1)), 100.0
    monkeypatch.setattr("app.core.throttle.time.monotonic", lambda: now)
    assert requests(throttled, 2) == [True, False]
    assert throttled.wait == 11

    now += WINDOW

    assert requests(throttled, 2) == [True, False]
    assert len(throttled._reads) == 1
