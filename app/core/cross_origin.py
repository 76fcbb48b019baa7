"""CORS (https://fetch.spec.whatwg.org/#http-cors-protocol): which origins' scripts may read our answers.

Nothing here keeps a request out: who is asking is told by tokens, which no browser sends by itself, so no other site
can act for a visitor (CSRF). The one cookie (app/routers/devices.py) is `SameSite=Strict` and proves nothing that an
operation would act upon; credentials are not allowed.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Traceparent",
    "X-Cart-Token",
    "X-Order-Token",
    "X-Request-ID",
)
RESPONSE_HEADERS = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Cart-Token",
    "X-Request-ID",
)
_DEPENDS_ON = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


class CrossOrigin(CORSMiddleware):
    """Starlette's, with a refusal like all others. `origins` are compared as they are: no patterns, no `null`."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str], refused: ASGIApp) -> None:
        super().__init__(
            app,
            allow_origins=frozenset(origins),
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
        )
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if "origin" in headers and "access-control-request-method" in headers:
                await self._preflight(headers, scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    async def _preflight(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        response = self.preflight_response(headers)
        if response.status_code == 200:
            await response(scope, receive, send)
            return

        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Vary"] = _DEPENDS_ON
            await send(message)

        await self._refused(scope, receive, send_with_vary)
