"""A4: access tokens that nobody issued."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

from jose import jwk, jwt

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Target, bearer

NONES = ("none", "None", "NONE", "nOnE")
KIDS = ("' OR 1=1 --", "../../../../dev/null", "/proc/self/environ", "http://127.0.0.1:1/jwks.json", "", "\x00", "0")


async def forged_tokens(target: Target) -> list[Attempt]:
    """Every forgery at a route that needs an account, one that does not, and one for staff."""
    own = (await target.tokens("customer@example.com"))["access_token"]
    published = (await target.request("GET", "/.well-known/jwks.json")).json().get("keys", [])
    attempt = Attempt("A4", "access tokens: none, confusion, kid, claims, spelling, size")
    good = await target.request("GET", f"{API}/users/me", headers=bearer(own))
    if good.status_code != 200:
        attempt.record("the true token, for comparison", good, held=False)
    product = (await target.request("GET", f"{API}/products", params={"limit": 1})).json()["data"][0]["id"]
    slowest = 0.0
    for name, token in _forgeries(own, published):
        for path in ("/users/me", f"/products/{product}", "/inventory"):
            started = time.perf_counter()
            answer = await target.request("GET", f"{API}{path}", headers=bearer(token))
            slowest = max(slowest, time.perf_counter() - started)
            attempt.refused(f"{name} at {path}", answer, 401)
    attempt.note(f"slowest answer {slowest * 1000:.0f} ms")
    return [attempt]


def _forgeries(own: str, published: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    head, body, signature = own.split(".")
    header, claims = _read(head), _read(body)

    for spelling in NONES:
        for tail in ("", signature):
            yield f"alg {spelling}", f"{_write(header | {'alg': spelling})}.{body}.{tail}"
    yield from _confusions(header, claims, published)
    for kid in KIDS:
        yield f"kid {kid!r}", jwt.encode(claims, "", "HS256", headers={"typ": "at+jwt", "kid": kid})
        yield f"kid {kid!r}, own signature", f"{_write(header | {'kid': kid})}.{body}.{signature}"
    for name, value in {
        "jwk": {"kty": "oct", "k": "YQ"},
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/cert.pem",
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "b64": False,
    }.items():
        yield f"header {name}", f"{_write(header | {name: value})}.{body}.{signature}"
    changes: dict[str, dict[str, Any]] = {
        "expired": {"exp": int(time.time()) - 10},
        "for ever": {"exp": 2**53},
        "exp as text": {"exp": "tomorrow"},
        "exp infinite": {"exp": float("inf")},
        "not yet": {"nbf": int(time.time()) + 600},
        "another audience": {"aud": "another-api"},
        "another issuer": {"iss": "evil"},
        "somebody else": {"sub": "00000000-0000-7000-8000-000000000001"},
        "all scopes": {"scope": "users:write catalog:write inventory:write", "role": "admin"},
    }
    for name, changed in changes.items():
        yield f"claims changed: {name}", f"{head}.{_write(claims | changed)}.{signature}"
        yield f"own key: {name}", jwt.encode(claims | _json_safe(changed), "k" * 64, "HS256", headers={"typ": "at+jwt"})
    yield "typ of another kind", f"{_write(header | {'typ': 'JWT'})}.{body}.{signature}"
    yield from _spellings(head, body, signature)
    yield "deep header", f"{base64.urlsafe_b64encode(b'[' * 1000).decode().rstrip('=')}.{body}.{signature}"
    yield "30 kB", f"{head}.{body}.{'A' * 30_000}"
    yield from (
        (f"malformed {text!r}", text) for text in ("a", "a.b", "a.b.c", "...", "a.b.c.d", "null", "e30.e30.e30")
    )


def _confusions(
    header: dict[str, Any], claims: dict[str, Any], published: list[dict[str, str]]
) -> Iterator[tuple[str, str]]:
    """HS256 with what anybody can fetch: the public key, in each form that a library may take for a secret."""
    for key in published:
        public = jwk.construct(key, key.get("alg", "ES256"))
        pem = public.to_pem()
        der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
        for form, secret in {
            "PEM": pem,
            "PEM without its last line break": pem.rstrip(),
            "DER": der,
            "JSON": json.dumps(key).encode(),
            "x": key.get("x", "").encode(),
        }.items():
            made = _signed(claims, secret, {"typ": "at+jwt", "kid": key.get("kid")})
            yield f"HS256 with the public key as {form}", made
    for guess in ("", "secret", "emporium", "development-only-secret-key-of-32-bytes-or-more"):
        yield f"HS256 with {guess!r}", _signed(claims, guess.encode(), header)


def _signed(claims: dict[str, Any], secret: bytes, headers: dict[str, Any]) -> str:
    """HS256 by hand: the library refuses keys that look like public ones."""
    text = f"{_write(headers | {'alg': 'HS256'})}.{_write(claims)}"
    mac = hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _spellings(head: str, body: str, signature: str) -> Iterator[tuple[str, str]]:
    """What decodes to the same bytes, and what differs by one bit."""
    yield "a trailing =", f"{head}.{body}.{signature}="
    yield "white space", f"{head}.{body}.{signature[:8]} {signature[8:]}"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(signature[-1])
    for other in range(1, 4):
        yield "the last bits, which nobody reads", f"{head}.{body}.{signature[:-1]}{alphabet[last ^ other]}"
    for place in range(0, len(signature), 4):
        flipped = alphabet[alphabet.index(signature[place]) ^ 32]
        yield f"bit flipped at {place}", f"{head}.{body}.{signature[:place]}{flipped}{signature[place + 1 :]}"


def _read(part: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read


def _write(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _json_safe(value: dict[str, Any]) -> dict[str, Any]:
    return {name: 1e308 if each == float("inf") else each for name, each in value.items()}
