"""Where an answer ends; what pgbench reports; what a request looks like; and the generator on a real socket."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.load import LoadFailed, Plan, generate, percentile
from bench.messages import message
from bench.responses import MalformedResponse, Response, read_response
from bench.sides import transactions_per_second

PGBENCH = """
transaction type: add_to_cart.sql
number of transactions actually processed: 30
number of failed transactions: {failed} (0.000%)
tps = 1234.5 (without initial connection time)
"""
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"
CREATED = b"HTTP/1.1 201 Created\r\nx-length: 9\r\ncontent-length:2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize(
    ("received", "response"),
    [
        (OK, Response(200, len(OK))),
        (OK[:-3], Response(200, len(OK))),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
        (b"", None),
        (NOT_MODIFIED, Response(304, len(NOT_MODIFIED))),
        (CREATED, Response(201, len(CREATED))),
    ],
)
def test_where_a_response_ends(received: bytes, response: Response | None) -> None:
    assert read_response(received) == response


@pytest.mark.parametrize(
    "received",
    [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello"],
)
def test_what_has_no_length_is_refused(received: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read_response(received)


def test_pgbench_is_believed_when_no_transaction_failed() -> None:
    assert transactions_per_second(PGBENCH.format(failed=0)) == 1234.5


@pytest.mark.parametrize("report", ["", PGBENCH.format(failed=3)])
def test_pgbench_is_not_believed_otherwise(report: str) -> None:
    with pytest.raises(LoadFailed):
        transactions_per_second(report)


def test_a_request_says_how_long_its_body_is() -> None:
    text = message("POST", "/cart", {"X-Cart-Token": "t"}, '{"ä":1}')

    assert text.startswith("POST /cart HTTP/1.1\r\nHost: ")
    assert text.endswith('\r\nX-Cart-Token: t\r\nContent-Length: 8\r\n\r\n{"ä":1}')


class Conversation(socketserver.BaseRequestHandler):
    """Answers every request with the server's bytes, in two pieces."""

    def handle(self) -> None:
        while self.request.recv(1000):
            self.request.sendall(self.server.answer[:20])  # type: ignore[attr-defined]  # set below
            self.request.sendall(self.server.answer[20:])  # type: ignore[attr-defined]


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """The port of a server that knows one answer."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as listening:
        listening.answer = answer  # type: ignore[attr-defined]
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield listening.server_address[1]
        finally:
            listening.shutdown()
            thread.join()


def test_the_generator_counts_whole_answers() -> None:
    with server(OK) as port:
        outcome = generate(Plan(port, connections=3, seconds=0.1, expected=200, requests=["a", "b"]))

    assert outcome.completed > 0
    assert outcome.answered == outcome.completed + 3
    assert 0 < outcome.generator_load <= 1.1


def test_the_generator_ends_when_it_has_sent_what_it_may() -> None:
    with server(OK) as port:
        outcome = generate(Plan(port, connections=3, seconds=60, expected=200, requests=["a", "b"], limit=7))

    assert (outcome.completed, outcome.answered, outcome.failed) == (7, 7, 0)
    assert outcome.seconds < 10


def test_the_generator_knows_how_long_answers_took() -> None:
    with server(OK) as port:
        outcome = generate(Plan(port, connections=1, seconds=0.1, expected=200, requests=["a"]))

    assert 0 < outcome.p50_ms <= outcome.p99_ms < 100


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100)])
def test_percentiles_are_of_the_nearest_rank(share: float, value: float) -> None:
    assert percentile(range(1, 101), share) == value


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 0.99) == 0


def test_the_generator_keeps_other_answers_apart() -> None:
    with server(OK.replace(b"200", b"500")) as port:
        outcome = generate(Plan(port, connections=1, seconds=0.1, expected=200, requests=["a"]))

    assert outcome.completed == 0
    assert outcome.answered == outcome.failed + 1
    assert outcome.failure.startswith("HTTP/1.1 500 OK")
