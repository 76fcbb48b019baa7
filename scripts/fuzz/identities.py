"""Who the fuzzer is: how it signs in, and signs in again after it has signed itself out."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx

SIGN_IN = "/api/v1/auth/token"


class CannotFuzz(RuntimeError):
    """The shop lacks what a run needs. The message says what."""


@dataclass(frozen=True)
class Identity:
    """An account that exists; `name` is what the report calls it."""

    name: str
    email: str
    password: str


def write_identities(path: Path, url: str, identities: list[Identity]) -> None:
    """Write them as Web Fuzzing Commons does, for Schemathesis to sign in whenever its token is refused.

    Each signs in once before and keeps the cookie of a known device: the wrong passwords that the fuzzer sends in
    somebody's name use up another allowance than its own (docs/decisions/0010-guessing-and-lockout.md).
    """
    path.write_text(json.dumps({"schemaVersion": "0.2.0", "auth": [_entry(url, each) for each in identities]}))


def account_of(url: str, identity: Identity) -> str:
    """The id of the account."""
    with httpx.Client(base_url=url) as client:
        token = _signed_in(client, identity).json()["access_token"]
        me = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
        return str(me.raise_for_status().json()["id"])


def _entry(url: str, identity: Identity) -> dict[str, object]:
    with httpx.Client(base_url=url) as client:
        cookies = _signed_in(client, identity).cookies
    return {
        "name": identity.name,
        "loginEndpointAuth": {
            "endpoint": SIGN_IN,
            "verb": "POST",
            "contentType": "application/x-www-form-urlencoded",
            "headers": [{"name": "Cookie", "value": "; ".join(f"{name}={value}" for name, value in cookies.items())}],
            "payloadRaw": urlencode(_credentials(identity)),
            "token": {
                "extractFrom": "body",
                "extractSelector": "/access_token",
                "sendIn": "header",
                "sendName": "Authorization",
                "sendTemplate": "Bearer {token}",
            },
        },
    }


def _signed_in(client: httpx.Client, identity: Identity) -> httpx.Response:
    response = client.post(SIGN_IN, data=_credentials(identity))
    if response.is_error:
        raise CannotFuzz(f"{identity.email} cannot sign in ({response.status_code}): {response.text}")
    return response


def _credentials(identity: Identity) -> dict[str, str]:
    return {"username": identity.email, "password": identity.password}
