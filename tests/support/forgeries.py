"""Access tokens that nobody should take: what RFC 8725 warns of, and what python-jose 3.5 is known to stumble over."""

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from jose import jwt

from app.core.clock import now
from app.core.signing_keys import SigningKey, SigningKeys, new_pem

Json = dict[str, Any]
TIME_CLAIMS = ("exp", "nbf", "iat")
CLAIMS = (*TIME_CLAIMS, "iss", "aud", "sub", "sid", "scope", "jti")


def part(value: object) -> str:
    """A value as a part of a token: as JSON, unless it is bytes already."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unpacked(token: str) -> tuple[Json, Json]:
    """A token's head and claims, unchecked."""
    return jwt.get_unverified_header(token), jwt.get_unverified_claims(token)


class Forger:
    """Starts from a good token. With `key`, also forges what only an insider could: signed, and wrong all the same."""

    def __init__(self, good: str, key: SigningKey) -> None:
        self._good = good
        self._key = key
        self._head, self._claims = unpacked(good)

    def signed(self, head: Json | None = None, **changes: Any) -> str:
        """The good token with changes, signed with the real key; a claim changed to None is left out."""
        claims = {name: value for name, value in (self._claims | changes).items() if value is not None}
        return self._sign(part(self._head | (head or {})), part(claims))

    def of_raw(self, head: bytes | None = None, claims: bytes | None = None) -> str:
        """The same with parts that no JSON encoder would write."""
        return self._sign(
            part(self._head) if head is None else part(head), part(self._claims) if claims is None else part(claims)
        )

    def all(self) -> dict[str, str]:
        """Every forgery by its name."""
        return (
            self._unsigned()
            | self._by_others()
            | self._confused()
            | self._wrong_claims()
            | self._wrong_heads()
            | self._respelt()
            | self._garbage()
        )

    def _sign(self, head: str, claims: str) -> str:
        message = f"{head}.{claims}"
        return f"{message}.{part(self._key.signs.sign(message.encode()))}"

    def _unsigned(self) -> dict[str, str]:
        spellings = ("none", "None", "NONE", "nOnE", "", None)
        forgeries = {
            f"alg {spelling!r}": f"{part(self._head | {'alg': spelling})}.{part(self._claims)}."
            for spelling in spellings
        }
        head, claims, signature = self._good.split(".")
        admin = part(self._claims | {"scope": "admin"})
        return forgeries | {
            "no signature": f"{head}.{claims}.",
            "two parts": f"{head}.{claims}",
            "four parts": f"{self._good}.{signature}",
            "claims exchanged": f"{head}.{admin}.{signature}",
            "signature of zeros": f"{head}.{claims}.{part(bytes(64))}",
            "signature cut": f"{head}.{claims}.{signature[:-8]}",
            "first bit changed": f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        }

    def _by_others(self) -> dict[str, str]:
        """Signed well, with a key that is not ours."""
        stranger = SigningKeys.from_pem(new_pem()).current
        secret = SigningKeys.shared(b"a stranger's").current
        return {
            "a stranger's key by its own id": Forger(self._good, stranger).signed({"kid": stranger.id, "alg": "ES256"}),
            "a stranger's key by our id": Forger(self._good, stranger).signed({"alg": "ES256"}),
            "a stranger's secret by our id": Forger(self._good, secret).signed({"alg": "HS256"}),
            "the stranger's public key brought along": Forger(self._good, stranger).signed(
                {"alg": "ES256", "jwk": stranger.public}
            ),
        }

    def _confused(self) -> dict[str, str]:
        """What everybody may know of our key, used as if it were a shared secret (CVE-2024-33663)."""
        known = {"the key's id": self._key.id.encode(), "nothing": b""}
        if self._key.public:
            pem: bytes = self._key.verifies.to_pem()
            der = load_pem_public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            known |= {"PEM": pem, "DER": der, "JWK": json.dumps(self._key.public).encode()}
        forgeries = {}
        for name, secret in known.items():
            for algorithm, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
                message = f"{part(self._head | {'alg': algorithm})}.{part(self._claims)}"
                mac = hmac.new(secret, message.encode(), digest).digest()
                forgeries[f"{algorithm} with {name} as secret"] = f"{message}.{part(mac)}"
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        rsa_pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        forgeries["RS256"] = jwt.encode(self._claims, rsa_pem, "RS256", headers=self._head | {"alg": "RS256"})
        return forgeries

    def _wrong_claims(self) -> dict[str, str]:
        moment = int(now().timestamp())
        changes: dict[str, Json] = {
            "expired": {"exp": moment - 1},
            "expires as text": {"exp": str(moment + 60)},
            "expires in a fraction": {"exp": moment + 60.5},
            "expires beyond the calendar": {"exp": 10**30},
            "expires at true": {"exp": True},
            "not yet valid": {"nbf": moment + 120},
            "issued as text": {"iat": str(moment)},
            "another issuer": {"iss": "https://evil.example"},
            "another audience": {"aud": "another-api"},
            "an audience of none": {"aud": []},
            "a subject that is no id": {"sub": "1 OR 1=1"},
            "a subject that is a number": {"sub": 1},
            "a session that is no id": {"sid": "../../etc/passwd"},
            "scopes as a list": {"scope": ["admin"]},
        }
        missing: dict[str, Json] = {f"without {claim}": {claim: None} for claim in CLAIMS}
        endless = json.dumps(self._claims).replace(str(self._claims["exp"]), "1e400").encode()
        not_a_number = json.dumps(self._claims).replace(str(self._claims["exp"]), "NaN").encode()
        return {name: self.signed(**each) for name, each in (changes | missing).items()} | {
            "expires at infinity": self.of_raw(claims=endless),
            "expires at no number": self.of_raw(claims=not_a_number),
            "claims are a list": self.of_raw(claims=b"[]"),
            "claims are no JSON": self.of_raw(claims=b"{"),
        }

    def _wrong_heads(self) -> dict[str, str]:
        heads: dict[str, Json] = {
            "a refresh token's type": {"typ": "JWT"},
            "no type": {"typ": None},
            "an unknown key": {"kid": "unknown"},
            "a key by path": {"kid": "../../../../dev/null"},
            "a key by SQL": {"kid": "' UNION SELECT 'x"},
            "a key by a list": {"kid": [self._key.id]},
            "a key by nothing": {"kid": None},
            "a critical extension": {"crit": ["exp"]},
            "an unencoded payload": {"b64": False, "crit": ["b64"]},
            "keys at an address": {"jku": "https://evil.example/keys"},
            "a certificate at an address": {"x5u": "https://evil.example/cert"},
            "a certificate": {"x5c": ["MIIB"]},
            "compressed": {"zip": "DEF"},
        }
        return {name: self.signed(head) for name, head in heads.items()} | {
            "a deep head": f"{part(b'[' * 2500)}.{part(self._claims)}.x",
            "a head that is a list": self.of_raw(head=b"[]"),
            "a head that is null": self.of_raw(head=b"null"),
            "a head that is not UTF-8": self.of_raw(head=b"\xff\xfe"),
        }

    def _respelt(self) -> dict[str, str]:
        """The good token in other letters, which a list of revoked tokens would not know."""
        head, claims, signature = self._good.split(".")
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        same = alphabet[alphabet.index(signature[-1]) ^ 1]  # the last letter's lowest bits say nothing
        return {
            "other unused bits": f"{head}.{claims}.{signature[:-1]}{same}",
            "padded": f"{self._good}{'=' * (-len(signature) % 4 or 4)}",
            "with a stranger among the letters": f"{head}.{claims}.{signature[:4]}!{signature[4:]}",
            "signature in the other alphabet": f"{head}.{claims}.{signature}".replace("-", "+").replace("_", "/") + "+",
        }

    def _garbage(self) -> dict[str, str]:
        texts = ("", ".", "..", "...", "a.b.c", "null", "{}", "A" * 4096, "A" * 4097)
        return {f"garbage {text[:4]!r} of {len(text)}": text for text in texts}
