"""Access tokens: only what this service issued, for this use, and not yet expired."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from jose import jwt

from app.core.clock import now
from app.core.ids import uuid7
from app.core.security import AccessTokens, TokenError, derive_key, digest, new_secret

SECRET = "a secret for tests only, of forty bytes.."
KEY = derive_key(SECRET, "access-token").hex()
USER, SESSION = uuid7(), uuid7()


@pytest.fixture
def tokens() -> AccessTokens:
    return AccessTokens(SECRET, timedelta(minutes=15))


def forged(key: str = KEY, algorithm: str = "HS256", header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token that would be good, but for the changes; a claim changed to None is left out."""
    moment = int(now().timestamp())
    claims = {
        "iss": "emporium",
        "aud": "emporium-api",
        "sub": str(USER),
        "sid": str(SESSION),
        "role": "customer",
        "jti": "1",
        "iat": moment,
        "exp": moment + 60,
    } | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers={"typ": "at+jwt"} | (header or {}))


def unsigned(algorithm: str) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = jwt.get_unverified_claims(forged())
    return f"{part({'alg': algorithm, 'typ': 'at+jwt'})}.{part(claims)}."


def test_a_token_says_who_is_asking_and_for_how_long(tokens: AccessTokens) -> None:
    before = now()

    claims = tokens.read(tokens.issue(USER, SESSION, "admin"))

    assert (claims.user_id, claims.session_id, claims.role) == (USER, SESSION, "admin")
    assert timedelta(minutes=14, seconds=59) <= claims.expires_at - before <= timedelta(minutes=15, seconds=1)


def test_the_forge_of_this_test_makes_good_tokens_when_asked_to(tokens: AccessTokens) -> None:
    assert tokens.read(forged()).user_id == USER


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": "tomorrow"}, id="expiry is text"),
        pytest.param({"exp": 10**30}, id="expiry beyond the calendar"),
        pytest.param({"nbf": 10**10}, id="not yet valid"),
        pytest.param({"iss": "somebody else"}, id="other issuer"),
        pytest.param({"aud": "another-api"}, id="other audience"),
        pytest.param({"sub": "1"}, id="subject is no id"),
        pytest.param({"sid": "1"}, id="session is no id"),
        *[
            pytest.param({claim: None}, id=f"without {claim}")
            for claim in ("exp", "iat", "sub", "aud", "iss", "jti", "sid", "role")
        ],
        pytest.param({"key": "0" * 64}, id="other key"),
        pytest.param({"key": SECRET}, id="the secret itself as key"),
        pytest.param({"key": derive_key(SECRET, "cursor").hex()}, id="key of another purpose"),
        pytest.param({"algorithm": "HS512"}, id="other algorithm"),
        pytest.param({"header": {"typ": "JWT"}}, id="no access token"),
        pytest.param({"header": {"jwk": {"kty": "oct", "k": "AA"}}}, id="brings its key along"),
        pytest.param({"header": {"jku": "https://attacker.example/keys"}}, id="names its keys' address"),
        pytest.param({"header": {"crit": ["exp"]}}, id="critical extension"),
    ],
)
def test_a_token_with_anything_wrong_is_refused(tokens: AccessTokens, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        tokens.read(forged(**changes))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "HS256"])
def test_an_unsigned_token_is_refused_however_it_spells_none(tokens: AccessTokens, algorithm: str) -> None:
    with pytest.raises(TokenError):
        tokens.read(unsigned(algorithm))


def test_a_changed_signature_is_refused(tokens: AccessTokens) -> None:
    head, payload, signature = tokens.issue(USER, SESSION, "customer").split(".")
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]

    with pytest.raises(TokenError):
        tokens.read(f"{head}.{payload}.{changed}")


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "null",
        "é.é.é",
        "\ud800",
        base64.urlsafe_b64encode(b"[" * 2500).decode() + ".e30.x",
        "A" * 10_000_000,
    ],
)
def test_garbage_is_refused_whatever_the_library_makes_of_it(tokens: AccessTokens, garbage: str) -> None:
    with pytest.raises(TokenError):
        tokens.read(garbage)


def test_secrets_are_256_bits_and_only_their_digest_is_for_keeping() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {43}
    assert len(digest(secrets.pop())) == 32


def test_ids_are_version_7_and_sort_by_time() -> None:
    first = UUID(int=uuid7().int)

    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert abs((first.int >> 80) / 1000 - now().timestamp()) < 5
