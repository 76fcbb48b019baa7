"""The keys that access tokens are signed with: elliptic curves (ES256), or outside production a shared secret (HS256).

A key's id names it in the token's head and decides the algorithm, so that no token can choose one (RFC 8725 §3.1).

To rotate: put a new key *behind* the current one (`shop keys new`) and deploy, so that every process accepts it; move
it to the front and deploy, so that it signs; take the old one away once its last token has expired.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jose import jwk
from jose.backends.base import Key

ASYMMETRIC = "ES256"
SYMMETRIC = "HS256"
_PEM = re.compile(r"-----BEGIN (?P<kind>[A-Z ]+)-----.+?-----END (?P=kind)-----\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key. `public` is what others may know of it, as JWK (RFC 7517); None for a shared secret."""

    id: str
    algorithm: str
    signs: Key
    verifies: Key
    public: dict[str, str] | None


class SigningKeys:
    """The first signs, all of them verify."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self.current = keys[0]
        self._by_id = {key.id: key for key in keys}

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """Private keys of curve P-256, in PEM, one after the other.

        Line ends may be written as backslash and n: some places for environment variables hold only one line.

        Raises:
            ValueError: the text holds something else. The message does not show it.
        """
        text = text.replace("\\n", "\n").strip()
        if not text or _PEM.sub("", text):
            raise ValueError("signing keys are private keys in PEM, one after the other")
        return cls([_from_pem(match[0]) for match in _PEM.finditer(text)])

    @classmethod
    def shared(cls, key: bytes) -> Self:
        """One key for HS256, which every process has to know: nobody else can check its tokens."""
        signs = jwk.construct(key.hex(), SYMMETRIC)
        return cls([SigningKey(hashlib.sha256(key).hexdigest()[:16], SYMMETRIC, signs, signs, None)])

    def get(self, key_id: object) -> SigningKey | None:
        """A look-up and nothing more: the id comes from whoever sent the token (RFC 8725 §3.10)."""
        return self._by_id.get(key_id) if isinstance(key_id, str) else None

    def published(self) -> list[dict[str, str]]:
        """The public halves, as JWKs for a key set."""
        return [key.public for key in self._by_id.values() if key.public is not None]


def new_pem() -> str:
    """A new private key of curve P-256, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _from_pem(pem: str) -> SigningKey:
    try:
        private = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):  # TypeError: it asks for a passphrase
        raise ValueError("a signing key is damaged, encrypted, or not a private key") from None
    match private:
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            public_half = private.public_key()
        case _:
            raise ValueError("a signing key for ES256 is of curve P-256")
    public_pem = public_half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    verifies = jwk.construct(public_pem.decode(), ASYMMETRIC)
    point = {name: verifies.to_dict()[name] for name in ("crv", "kty", "x", "y")}
    key_id = _thumbprint(point)
    public = point | {"kid": key_id, "use": "sig", "alg": ASYMMETRIC}
    return SigningKey(key_id, ASYMMETRIC, jwk.construct(pem, ASYMMETRIC), verifies, public)


def _thumbprint(required: dict[str, Any]) -> str:
    """RFC 7638 §3: the same key has the same id everywhere, without anybody keeping a list."""
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()
