"""Access tokens (the only module that touches python-jose) and opaque secrets."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from jose import jwt

from app.core.clock import now

ALGORITHM = "HS256"  # one constant, never read from the token: RFC 8725 §3.1
ISSUER = "emporium"
AUDIENCE = "emporium-api"
LONGEST_TOKEN = 4096  # python-jose recurses over the header's JSON before it checks anything
CHECKED_TOKENS = 4096  # tokens whose signature need not be checked again
_REQUIRED = ("exp", "iat", "sub", "aud", "iss", "jti")
_OPTIONS = {f"require_{claim}": True for claim in _REQUIRED}
_UNTRUSTED_HEADERS = {"crit", "jku", "jwk", "x5u", "x5c"}


class TokenError(Exception):
    """The token is not one that this service would have issued and still honours."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Who is asking. `session_id` ties the token to a sign-in that can be revoked."""

    user_id: UUID
    session_id: UUID
    role: str
    expires_at: datetime


class AccessTokens:
    """Issues and checks the short-lived JWTs of RFC 9068."""

    def __init__(self, secret: str, lifetime: timedelta) -> None:
        self._key = derive_key(secret, "access-token").hex()
        self._checked = lru_cache(CHECKED_TOKENS)(self._check)
        self.lifetime = lifetime

    def issue(self, user_id: UUID, session_id: UUID, role: str) -> str:
        issued = now()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "role": role,
            "jti": secrets.token_hex(16),
            "iat": int(issued.timestamp()),
            "exp": int((issued + self.lifetime).timestamp()),
        }
        return jwt.encode(claims, self._key, ALGORITHM, headers={"typ": "at+jwt"})

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
            header = jwt.get_unverified_header(token)
            if header.get("typ") != "at+jwt" or _UNTRUSTED_HEADERS & header.keys():
                raise TokenError("not an access token")
            claims = jwt.decode(token, self._key, ALGORITHM, _OPTIONS, audience=AUDIENCE, issuer=ISSUER)
            return AccessClaims(
                user_id=UUID(claims["sub"]),
                session_id=UUID(claims["sid"]),
                role=str(claims["role"]),
                expires_at=datetime.fromtimestamp(claims["exp"], now().tzinfo),
            )
        except TokenError:
            raise
        except Exception as error:
            raise TokenError("unreadable") from error


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
