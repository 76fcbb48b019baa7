"""What every answer tells the browser, unless it says otherwise itself.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html. A page has a Content-Security-Policy of
its own (app/routers/pages.py); what may be kept has a Cache-Control of its own, and all else is kept by nobody.
"""

from collections.abc import Sequence
from functools import lru_cache

from starlette.types import Scope

RawHeaders = Sequence[tuple[bytes, bytes]]

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",  # scripts of allowed origins ask by CORS, which this leaves alone
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
TRANSPORT_SECURITY = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}  # two years


class SecurityHeaders:
    """`only_https` is production: then who came by https is told to come by nothing else (RFC 6797 §7.2)."""

    def __init__(self, *, only_https: bool) -> None:
        self._plain = _raw(SECURITY_HEADERS)
        self._secure = _raw(SECURITY_HEADERS | TRANSPORT_SECURITY) if only_https else self._plain
        self._missing = lru_cache(maxsize=512)(self._find_missing)

    def missing(self, scope: Scope, headers: RawHeaders) -> RawHeaders:
        """Those that the answer does not have yet."""
        return self._missing(scope["scheme"] == "https", tuple([name for name, _ in headers]))

    def _find_missing(self, secure: bool, names: tuple[bytes, ...]) -> RawHeaders:
        return [header for header in (self._secure if secure else self._plain) if header[0] not in names]


def _raw(headers: dict[str, str]) -> RawHeaders:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
