"""The load generator: a process of its own that keeps a number of connections busy. It speaks JSON.

Bare sockets in one loop, because the generator must not be what is measured: it spends a fraction of what the
barest server does on a request, needs nothing installed, and reports how busy it was.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
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
    """`requests` are complete HTTP messages, sent in turns; answers with the status `expected` count."""

    port: int
    connections: int
    seconds: float
    expected: int
    requests: list[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`completed` good answers came within `seconds`; `answered` counts all, those after the last bell too.

    `failed` of them had another status; `failure` is the beginning of one.
    """

    seconds: float
    completed: int
    answered: int
    failed: int
    failure: str
    generator_load: float


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    received: bytes = b""
    response: Response | None = field(default=None)

    def send(self, request: bytes) -> None:
        self.received, self.response = b"", None
        self.socket.send(request)  # smaller than any socket's buffer: it goes out whole

    def answered(self) -> int | None:
        """Take what has come; the status, once that completes the answer."""
        chunk = self.socket.recv(RECEIVE_BYTES)
        if not chunk:
            raise LoadFailed("the server closed a connection")
        self.received = self.received + chunk if self.received else chunk
        self.response = self.response or read_response(self.received)
        if self.response is None or len(self.received) < self.response.end:
            return None
        return self.response.status


def generate(plan: Plan) -> Outcome:
    """Keep every connection busy for the time, then wait for the answers that are still out.

    Raises:
        LoadFailed: a connection breaks, or the last answers do not come.
    """
    requests = cycle(request.encode("latin-1") for request in plan.requests)
    with selectors.DefaultSelector() as selector:
        connections = [_Connection(socket.create_connection(("127.0.0.1", plan.port))) for _ in range(plan.connections)]
        for connection in connections:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        try:
            return _run(plan, selector, connections, requests)
        finally:
            for connection in connections:
                connection.socket.close()


def _run(
    plan: Plan, selector: selectors.BaseSelector, connections: list[_Connection], requests: Iterator[bytes]
) -> Outcome:
    completed, failures, out = 0, 0, len(connections)
    failure = b""
    started, busy = perf_counter(), process_time()
    bell = started + plan.seconds
    for connection in connections:
        connection.send(next(requests))
    while (now := perf_counter()) < bell:
        for key, _ in selector.select(bell - now):
            connection = cast("_Connection", key.data)
            status = connection.answered()
            if status == plan.expected:
                completed += 1
            elif status is None:
                continue
            else:
                failures, failure = failures + 1, connection.received
            connection.send(next(requests))
    elapsed, busy = perf_counter() - started, process_time() - busy

    give_up = bell + DRAIN_S
    while out:
        ready = selector.select(give_up - perf_counter())
        if not ready:
            raise LoadFailed(f"{out} answers did not come within {DRAIN_S:.0f} s")
        out -= sum(cast("_Connection", key.data).answered() is not None for key, _ in ready)
    return Outcome(
        seconds=elapsed,
        completed=completed,
        answered=completed + failures + len(connections),
        failed=failures,
        failure=failure[:SHOWN_BYTES].decode(errors="replace"),
        generator_load=busy / elapsed,
    )


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
