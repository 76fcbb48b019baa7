"""Codes that a phone makes from a shared secret and the time (TOTP, RFC 6238).

With the parameters that every authenticator app knows: SHA-1, six digits, 30 seconds. RFC 4226 is ten lines on top of
the standard library; a dependency for them would be one more to trust with a secret.
"""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP = 30  # seconds
DIGITS = 6
DRIFT = 1  # steps: a clock may be off, and typing takes time (RFC 6238 §5.2 recommends no more)
_SECRET_BYTES = 20  # RFC 4226 §4, R6


def new_totp_secret() -> str:
    """160 random bits in Base32, as authenticator apps take them."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def step_of(code: str, secret: str, at: datetime) -> int | None:
    """The time step that the code belongs to; None when it is none of now, the step before or the one after.

    A caller who accepts a code remembers its step and accepts none up to it again: a code works once (§5.2).
    """
    current = int(at.timestamp()) // STEP
    matching = None
    for step in range(current - DRIFT, current + DRIFT + 1):  # all of them, whatever the first ones say
        if hmac.compare_digest(code_at(step, secret).encode(), code.encode()):
            matching = step
    return matching


def code_at(step: int, secret: str) -> str:
    """The code of a time step (RFC 4226 §5.3)."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """What an app reads from a QR code (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)."""
    parameters = {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP}
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{urlencode(parameters, quote_via=quote)}"
