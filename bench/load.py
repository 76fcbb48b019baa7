"""The load generator: a process of its own that keeps a number of connections busy. It speaks JSON.

Bare sockets in one loop, because the generator must not be what is measured: it spends a fraction of what the
barest server does on a request, needs nothing installed, and reports how busy it was.
"""

import json
import math
import os
import selectors
import socket
import subprocess
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from time import perf_counter, process_time
from typing import cast

from bench.responses import Response, read_response

DRAIN_S = 10.0
RECEIVE_BYTES = 262_144
SHOWN_BYTES = 1_500


class LoadFailed(RuntimeError):
    """The server did not answer as it should: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`requests` are complete HTTP messages, sent in turns; answers with the status `expected` count.

    It ends after `seconds`, or earlier when `limit` requests have been sent.
    """

    port: int
    connections: int
    seconds: float
    expected: int
    requests: list[str]
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`completed` good answers came within `seconds`; `answered` counts all, those after the last bell too.

    `failed` of them had another status; `failure` is the beginning of one. Half of the good answers came within
    `p50_ms`, 99 of 100 within `p99_ms`.
    """

    seconds: float
    completed: int
    answered: int
    failed: int
    failure: str
    p50_ms: float
    p99_ms: float
    generator_load: float


class _Connection:
    """One request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0
        self._response: Response | None = None

    def send(self, request: bytes) -> None:
        self.received, self._response, self.sent_at = b"", None, perf_counter()
        self.socket.send(request)  # smaller than any socket's buffer: it goes out whole

    def status(self) -> int | None:
        """Take what has come; the status, once that completes the answer."""
        chunk = self.socket.recv(RECEIVE_BYTES)
        if not chunk:
            raise LoadFailed("the server closed a connection")
        self.received = self.received + chunk if self.received else chunk
        self._response = self._response or read_response(self.received)
        if self._response is None or len(self.received) < self._response.end:
            return None
        return self._response.status


class _Run:
    """A plan under way."""

    def __init__(self, plan: Plan, selector: selectors.BaseSelector) -> None:
        self._expected = plan.expected
        self._requests: Iterator[bytes] = islice(cycle(text.encode("latin-1") for text in plan.requests), plan.limit)
        self._selector = selector
        self._out = 0
        self._latencies = array("d")
        self._failed = 0
        self._failure = b""

    def go(self, connections: Sequence[_Connection], seconds: float) -> Outcome:
        started, busy = perf_counter(), process_time()
        for connection in connections:
            self._send_next(connection)
        self._serve_until(started + seconds)
        elapsed, busy = perf_counter() - started, process_time() - busy
        latencies, failed = sorted(self._latencies), self._failed

        self._requests = iter(())
        self._serve_until(perf_counter() + DRAIN_S)
        if self._out:
            raise LoadFailed(f"{self._out} answers did not come within {DRAIN_S:.0f} s")
        return Outcome(
            seconds=elapsed,
            completed=len(latencies),
            answered=len(self._latencies) + self._failed,
            failed=failed,
            failure=self._failure[:SHOWN_BYTES].decode(errors="replace"),
            p50_ms=1000 * percentile(latencies, 0.50),
            p99_ms=1000 * percentile(latencies, 0.99),
            generator_load=busy / elapsed,
        )

    def _serve_until(self, bell: float) -> None:
        """Until the bell, or until nothing is under way any more."""
        while self._out and (now := perf_counter()) < bell:
            for key, _ in self._selector.select(bell - now):
                self._take(cast("_Connection", key.data))

    def _take(self, connection: _Connection) -> None:
        status = connection.status()
        if status is None:
            return
        self._out -= 1
        if status == self._expected:
            self._latencies.append(perf_counter() - connection.sent_at)
        else:
            self._failed += 1
            self._failure = connection.received
        self._send_next(connection)

    def _send_next(self, connection: _Connection) -> None:
        request = next(self._requests, None)
        if request is not None:
            connection.send(request)
            self._out += 1


def generate(plan: Plan) -> Outcome:
    """Keep every connection busy for the time, then wait for the answers that are still out.

    Raises:
        LoadFailed: a connection breaks, or the last answers do not come.
    """
    with selectors.DefaultSelector() as selector:
        connections = [_Connection(plan.port) for _ in range(plan.connections)]
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        try:
            return _Run(plan, selector).go(connections, plan.seconds)
        finally:
            for connection in connections:
                connection.socket.close()


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that is not below `share` of all (nearest rank); 0 of nothing."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def generate_on(core: int, plan: Plan) -> Outcome:
    """`generate` in a process of its own, on that core.

    Raises:
        LoadFailed: as `generate` does.
    """
    process = subprocess.run(  # noqa: S603  # this very module
        [sys.executable, "-m", "bench.load", str(core)],
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise LoadFailed(process.stderr.strip())
    return Outcome(**json.loads(process.stdout))


def main() -> int:
    if hasattr(os, "sched_setaffinity"):  # Linux only
        os.sched_setaffinity(0, {int(sys.argv[1])})
    try:
        outcome = generate(Plan(**json.load(sys.stdin)))
    except LoadFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    json.dump(asdict(outcome), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
