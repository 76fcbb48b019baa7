"""uvicorn's HTTP/1.1 protocol with the limits it lacks: time and size of a request's head, pace of the rest, one Host.

Without them a client that sends a byte now and then, or reads one, holds a connection for ever (slowloris), and one
that sends an endless header fills the memory. Refusals are problem+json (RFC 9457) like all others of the
service.
"""

import json
import secrets
from asyncio import TimerHandle, Transport
from http import HTTPStatus
from typing import ClassVar, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol


class Refusal(NamedTuple):
    """Why a request's head is not accepted."""

    status: HTTPStatus
    code: str
    detail: str


MALFORMED = Refusal(
    HTTPStatus.BAD_REQUEST, "malformed_request", "This is not a valid HTTP/1.1 request: is the address percent-encoded?"
)
HOST = Refusal(HTTPStatus.BAD_REQUEST, "host_required", "A request needs exactly one Host header.")  # RFC 9112 §3.2
TOO_SLOW = Refusal(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request's headers took too long.")
BODY_TOO_SLOW = Refusal(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request's body took too long.")
URL_TOO_LONG = Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, "uri_too_long", "The URL is too long.")
HEAD_TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "The request's headers are too large."
)


class GuardedHttpProtocol(HttpToolsProtocol):
    """Closes connections whose request heads are late, too large, or without exactly one Host, and those that stall.

    The clock runs from the connection (or, on a kept one, the first byte of the next head) to the end of the
    head. A head that arrives in one piece, as nearly all do, costs no timer; neither does a body that comes with it.
    """

    head_timeout_s: ClassVar[float] = 10.0
    body_timeout_s: ClassVar[float] = 30.0  # and so much longer as the slowest connection needs for what has come
    slowest_body: ClassVar[float] = 8 * 1024  # bytes a second: 64 kbit/s, GSM's best
    write_timeout_s: ClassVar[float] = 30.0  # without reading enough of an answer to make room for more of it
    max_head_bytes: ClassVar[int] = 32 * 1024
    max_url_bytes: ClassVar[int] = 8 * 1024
    max_headers: ClassVar[int] = 100

    _timer: TimerHandle | None = None
    _head_open = False  # a head has begun and not ended
    _head_bytes = 0  # received while a head was open: an endless header never reaches `headers`
    _heads = 0  # complete heads so far
    _in_body = False
    _body_timer: TimerHandle | None = None
    _body_began = 0.0
    _body_bytes = 0
    _write_timer: TimerHandle | None = None
    _refusal: Refusal | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._end_body()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        heads, was_in_body = self._heads, self._in_body
        super().data_received(data)
        if self._head_open:
            self._head_bytes += len(data)
            if self._head_bytes > self.max_head_bytes:
                self._refuse(HEAD_TOO_LARGE)
                return
        # The second case: a blank line between requests, which ended uvicorn's keep-alive timer and began no head.
        if self._timer is None and (self._head_open or not (was_in_body or self._heads > heads)):
            self._arm()
        if self._in_body and self._body_timer is None and not self.transport.is_closing():
            self._body_began, self._body_bytes = self.loop.time(), 0
            self._body_timer = self.loop.call_later(self.body_timeout_s, self._check_pace)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.write_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def on_message_begin(self) -> None:
        self._head_open, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._disarm()
        self._head_open, self._in_body = False, True
        self._heads += 1
        self._refusal = self._objection()
        if self._refusal:
            # The parser turns any exception into its own, which uvicorn answers with `send_400_response`.
            raise ValueError(self._refusal.detail)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._end_body()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's sentence says less than ours
        """Called by uvicorn for whatever the parser rejects."""
        self._refuse(self._refusal or MALFORMED)

    def _objection(self) -> Refusal | None:
        if len(self.url) > self.max_url_bytes:
            return URL_TOO_LONG
        hosts, size = 0, len(self.url)
        for name, value in self.headers:
            size += len(name) + len(value)
            hosts += name == b"host"
        if size > self.max_head_bytes or len(self.headers) > self.max_headers:
            return HEAD_TOO_LARGE
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            return HOST
        return None

    def _refuse(self, refusal: Refusal) -> None:
        if self.transport.is_closing():
            return
        request_id = secrets.token_hex(16)
        self.logger.warning("%s: %s", request_id, refusal.detail)
        body = json.dumps(
            {
                "type": "about:blank",
                "title": refusal.status.phrase,
                "status": refusal.status,
                "detail": refusal.detail,
                "code": refusal.code,
                "request_id": request_id,
            }
        ).encode()
        defaults = b"".join(b"%b: %b\r\n" % header for header in self.server_state.default_headers)  # the date
        head = (
            "content-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[refusal.status] + defaults + head.encode() + body)
        self.transport.close()

    def _end_body(self) -> None:
        self._in_body = False
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    def _check_pace(self) -> None:
        self._body_timer = None
        waited = self.loop.time() - self._body_began
        if self.flow.read_paused:  # it is us who are slow
            self._body_began, self._body_bytes = self.loop.time(), 0
            left = self.body_timeout_s
        else:
            left = self.body_timeout_s + self._body_bytes / self.slowest_body - waited
        if left > 0:
            self._body_timer = self.loop.call_later(left, self._check_pace)
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(BODY_TOO_SLOW)

    def _arm(self) -> None:
        self._timer = self.loop.call_later(self.head_timeout_s, self._expire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._arm()  # an answer is on its way: the next request may wait for it
        elif self._head_open:
            self._refuse(TOO_SLOW)
        else:
            self.transport.close()  # nothing was asked, so nothing is answered (RFC 9110 §15.5.9)
