"""Access tokens (the only module that touches python-jose) and opaque secrets."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from jose import jwt
from jose.utils import base64url_decode, base64url_encode

from app.core.clock import now
from app.core.signing_keys import SigningKeys

ISSUER = "emporium"
AUDIENCE = "emporium-api"
TYPE = "at+jwt"  # RFC 9068 §2.1: no other kind of token is taken for one of these
LONGEST_TOKEN = 4096  # python-jose recurses over the header's JSON before it checks anything
CHECKED_TOKENS = 4096  # tokens whose signature need not be checked again
CLOCK_SKEW = 30  # seconds that the machine which issued a token may be ahead; a token's end is exact
_REQUIRED = ("exp", "nbf", "iat", "sub", "aud", "iss", "jti")
_OPTIONS: dict[str, Any] = {f"require_{claim}": True for claim in _REQUIRED} | {"leeway": CLOCK_SKEW}
_TIMES = ("exp", "nbf", "iat")
_KNOWN_HEADERS = {"alg", "typ", "kid"}  # not crit, jku, jwk, x5u or x5c: RFC 8725 §3.10


class TokenError(Exception):
    """The token is not one that this service would have issued and still honours."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Who is asking, and what for. `session_id` ties the token to a sign-in that can be revoked.

    `scopes` are those that were granted when the token was issued.
    """

    user_id: UUID
    session_id: UUID
    scopes: frozenset[str]
    expires_at: datetime


class AccessTokens:
    """Issues and checks short-lived JWTs as RFC 8725 advises, with the claims of RFC 9068.

    Without its `client_id`: the shop's own pages are the only clients.
    """

    def __init__(self, keys: SigningKeys, lifetime: timedelta) -> None:
        self.keys = keys
        self._checked = lru_cache(CHECKED_TOKENS)(self._check)
        self.lifetime = lifetime

    def issue(self, user_id: UUID, session_id: UUID, scope: str) -> str:
        """`scope` holds scopes separated by spaces (RFC 8693 §4.2)."""
        issued = now()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "scope": scope,
            "jti": secrets.token_hex(16),
            "iat": int(issued.timestamp()),
            "nbf": int(issued.timestamp()),
            "exp": int((issued + self.lifetime).timestamp()),
        }
        key = self.keys.current
        return jwt.encode(claims, key.signs, key.algorithm, headers={"typ": TYPE, "kid": key.id})

    def read(self, token: str) -> AccessClaims:
        """The claims of a valid token; `TokenError` for anything else, whatever the library raises on it."""
        claims = self._checked(token)  # a signature that was good stays good
        if claims.expires_at <= now():
            raise TokenError("expired")
        return claims

    def _check(self, token: str) -> AccessClaims:
        if len(token) > LONGEST_TOKEN:
            raise TokenError("too long")
        try:
            return self._claims_of(token)
        except TokenError:
            raise
        except Exception as error:
            raise TokenError("unreadable") from error

    def _claims_of(self, token: str) -> AccessClaims:
        if any(base64url_encode(base64url_decode(part)) != part for part in token.encode().split(b".")):
            raise TokenError("another spelling of a token")  # python-jose reads several as the same
        header = jwt.get_unverified_header(token)
        key = self.keys.get(header.get("kid"))
        if key is None or header.get("alg") != key.algorithm:
            raise TokenError("not signed by us")
        if header.get("typ") != TYPE or header.keys() - _KNOWN_HEADERS:
            raise TokenError("not an access token")
        claims = jwt.decode(token, key.verifies, [key.algorithm], _OPTIONS, audience=AUDIENCE, issuer=ISSUER)
        if any(type(claims[name]) is not int for name in _TIMES):
            raise TokenError("times are whole seconds")
        return AccessClaims(
            user_id=UUID(claims["sub"]),
            session_id=UUID(claims["sid"]),
            scopes=frozenset(claims["scope"].split()),
            expires_at=datetime.fromtimestamp(claims["exp"], now().tzinfo),
        )


def new_secret() -> str:
    """256 random bits, URL-safe: refresh tokens, cart tokens, one-time links."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored of a secret. It has 256 bits of its own, so no salt and no slow hash are needed."""
    return hashlib.sha256(secret.encode()).digest()


def derive_key(secret: str, purpose: str) -> bytes:
    """A key of its own for each purpose, so that a signature for one is worthless for another."""
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")


class OrderTokens:
    """A guest's key to their order. Derived, so that a request that died half-way can tell it again."""

    def __init__(self, secret: str) -> None:
        self._key = derive_key(secret, "order-token")

    def of(self, order_id: UUID) -> str:
        mac = hmac.digest(self._key, order_id.bytes, "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
