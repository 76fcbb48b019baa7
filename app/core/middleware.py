"""The outermost layer around the application: request ids, security headers, the access line, the last resort.

Plain ASGI on purpose: Starlette's `BaseHTTPMiddleware` costs a task and two queues for each request, hides
disconnects and loses context variables.
"""

import re
import secrets
import time
from collections.abc import Callable, Sequence

import structlog
from starlette.datastructures import MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logging import get_logger

logger = get_logger("access")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,128}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")
_QUIET = {"/health/live", "/health/ready", "/metrics"}

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class RequestContext:
    """Gives every request an id, says one line about it, and turns a crash into an answer that tells nothing.

    The three refusals are ASGI applications: they answer for the one behind this layer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        crashed: ASGIApp,
        untrusted_host: ASGIApp,
        too_large: ASGIApp,
        trusted_hosts: Sequence[str],
        body_limit: Callable[[Scope], int],
    ) -> None:
        self._app = app
        self._crashed = crashed
        self._untrusted_host = untrusted_host
        self._too_large = too_large
        self._trusted_hosts = frozenset(trusted_hosts)
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, **_trace(scope))
        started, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._responsible(scope)(scope, receive, send_with_headers)
        except Exception:
            logger.exception("unhandled error")
            if status:
                raise  # half a response is out: all that is left is to cut the connection
            await self._crashed(scope, receive, send_with_headers)
        finally:
            if scope["path"] not in _QUIET:
                logger.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    milliseconds=round((time.perf_counter() - started) * 1000, 1),
                )

    def _responsible(self, scope: Scope) -> ASGIApp:
        """The application, or the refusal of a request that should not get that far."""
        host = _HOST.fullmatch(_header(scope, b"host"))
        if "*" not in self._trusted_hosts and (host is None or host[1].lower() not in self._trusted_hosts):
            return self._untrusted_host  # RFC 9110 §7.4: never build links from a name the client made up
        length = _header(scope, b"content-length")
        if length.isdigit() and int(length) > self._body_limit(scope):
            return self._too_large  # bodies that come in chunks are counted as they are read
        return self._app


class BodyLimit:
    """Counts the bytes of a body as they are read; `limit` tells how many a request may have."""

    def __init__(self, app: ASGIApp, limit: Callable[[Scope], int]) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limited = RequestBodyLimitResponder(self._app, self._limit(scope)) if scope["type"] == "http" else self._app
        await limited(scope, receive, send)


def _request_id(scope: Scope) -> str:
    """The caller's id when it is harmless to repeat, else a new one."""
    given = _header(scope, b"x-request-id")
    return given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(16)


def _trace(scope: Scope) -> dict[str, str]:
    """The trace id of W3C Trace Context, so that our log lines join the caller's trace."""
    given = _header(scope, b"traceparent")
    return {"trace_id": given.split("-")[1]} if _TRACEPARENT.fullmatch(given) else {}


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
