"""The outermost layer around the application: request ids, security headers, the access line, the last resort.

Plain ASGI on purpose: Starlette's `BaseHTTPMiddleware` costs a task and two queues for each request, hides
disconnects and loses context variables.
"""

import random
import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from starlette.middleware.body_limit import RequestBodyLimitResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.access_log import Say
from app.core.context import begin
from app.core.logging import get_logger
from app.core.rate_limit import HEADERS as RATE_LIMIT_HEADERS
from app.core.security_headers import SecurityHeaders
from app.core.throttle import Throttle

logger = get_logger("access")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,128}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")
_READ = frozenset([b"x-request-id", b"traceparent", b"host", b"content-length"])
_ANNOUNCE_A_BODY = frozenset([b"content-length", b"transfer-encoding"])  # RFC 9112 §6: without either there is none
_QUIET = {"/health/live", "/health/ready", "/metrics"}


class RequestContext:
    """Gives every request an id, says one line about it, and turns a crash into an answer that tells nothing.

    The refusals are ASGI applications: they answer for the one behind this layer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        crashed: ASGIApp,
        untrusted_host: ASGIApp,
        too_large: ASGIApp,
        too_many: ASGIApp,
        trusted_hosts: Sequence[str],
        body_limit: Callable[[Scope], int],
        security_headers: SecurityHeaders,
        throttle: Throttle | None,
        say: Say,
    ) -> None:
        self._app = app
        self._crashed = crashed
        self._untrusted_host = untrusted_host
        self._too_large = too_large
        self._too_many = too_many
        self._trusted_hosts = frozenset(trusted_hosts)
        self._is_trusted = lru_cache(maxsize=1000)(self._trusts)
        self._body_limit = body_limit
        self._missing = security_headers.missing
        self._throttle = throttle
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started, status = time.perf_counter(), 0
        told = {name: value for name, value in scope["headers"] if name in _READ}
        request_id = _request_id(told.get(b"x-request-id"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        begin(request_id=request_id, **_trace(told.get(b"traceparent")))

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                limits = state.get(RATE_LIMIT_HEADERS, ())
                message["headers"] = [
                    *headers,
                    (b"x-request-id", request_id.encode()),
                    *self._missing(scope, headers),
                    *limits,
                ]
            await send(message)

        try:
            await self._responsible(scope, told)(scope, receive, send_with_headers)
        except Exception:
            logger.exception("unhandled error")
            if status:
                raise  # half a response is out: all that is left is to cut the connection
            await self._crashed(scope, receive, send_with_headers)
        finally:
            if scope["path"] not in _QUIET:
                self._say(scope["method"], scope["path"], status, time.perf_counter() - started)

    def _responsible(self, scope: Scope, told: dict[bytes, bytes]) -> ASGIApp:
        """The application, or the refusal of a request that should not get that far."""
        if self._throttle is not None and self._throttle.refuses(scope):
            return self._too_many
        if not self._is_trusted(told.get(b"host", b"")):
            return self._untrusted_host  # RFC 9110 §7.4: never build links from a name the client made up
        length = told.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._body_limit(scope):
            return self._too_large  # bodies that come in chunks are counted as they are read
        return self._app

    def _trusts(self, host: bytes) -> bool:
        named = _HOST.fullmatch(host.decode("latin-1"))
        return "*" in self._trusted_hosts or (named is not None and named[1].lower() in self._trusted_hosts)


class BodyLimit:
    """Counts the bytes of a body as they are read; `limit` tells how many a request may have."""

    def __init__(self, app: ASGIApp, limit: Callable[[Scope], int]) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and any(name in _ANNOUNCE_A_BODY for name, _ in scope["headers"]):
            app = RequestBodyLimitResponder(app, self._limit(scope))
        await app(scope, receive, send)


def _request_id(given: bytes | None) -> str:
    """The caller's id when it is harmless to repeat, else a new one."""
    if given is not None and _WELL_FORMED.fullmatch(text := given.decode("latin-1")):
        return text
    return f"{random.getrandbits(128):032x}"


def _trace(given: bytes | None) -> dict[str, str]:
    """The trace id of W3C Trace Context, so that our log lines join the caller's trace."""
    if given is not None and _TRACEPARENT.fullmatch(text := given.decode("latin-1")):
        return {"trace_id": text.split("-")[1]}
    return {}
