"""Signatures that are ours to make: cursors, the provider's webhooks, guests' tokens."""

import base64
import hashlib
import hmac
import json
import time

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Target


async def cursors(target: Target) -> list[Attempt]:
    """A cursor changed, cut, made up, or taken from another question."""
    attempt = Attempt("I7", "cursors: bits flipped, cut, unsigned, of another query; pages out of bounds")
    page = (await target.request("GET", f"{API}/products", params={"limit": 1})).json()["page"]
    cursor = page["next_cursor"]
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    forged = {
        **{f"bit {bit} flipped": _flip(raw, bit) for bit in range(0, len(raw) * 8, 7)},
        "cut": raw[:10],
        "empty": b"",
        "no signature": raw[16:],
        "another position": raw[:16] + json.dumps([["9999-01-01", "x"], False]).encode(),
        "SQL": raw[:16] + b'[["1; SELECT pg_sleep(5)", 1], false]',
        "deep": raw[:16] + b"[" * 3000,
    }
    for name, changed in forged.items():
        text = base64.urlsafe_b64encode(changed).decode().rstrip("=")
        answer = await target.request("GET", f"{API}/products", params={"limit": 1, "cursor": text})
        attempt.refused(name, answer, 400, 422)
    for question in ({"sort": "price"}, {"in_stock": "true"}, {"q": "mug"}):
        answer = await target.request("GET", f"{API}/products", params={"limit": 1, "cursor": cursor, **question})
        attempt.refused(f"with {question}", answer, 400)
    for limit in ("0", "-1", "101", "1000000000", "1e3", "NaN", "9" * 400, "٣"):
        attempt.refused(
            f"limit={limit[:9]}", await target.request("GET", f"{API}/products", params={"limit": limit}), 422
        )
    return [attempt]


async def webhooks(target: Target) -> list[Attempt]:
    """A payment that nobody made."""
    attempt = Attempt("A16", "webhooks: no, wrong, old, future, empty and foreign signatures; signed for other bytes")
    event = {
        "id": "evt_attack",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_x"}},
    }
    body, now = json.dumps(event).encode(), int(time.time())
    for name, header in {
        "none": None,
        "empty": "",
        "nonsense": "nonsense",
        "no v1": f"t={now}",
        "no t": "v1=" + "0" * 64,
        "zeros": f"t={now},v1={'0' * 64}",
        "empty secret": _signed(body, b"", now),
        "a known secret": _signed(body, b"whsec_development-only", now),
        "old": _signed(body, b"whsec_development-only", now - 3600),
        "v0": f"t={now},v0=" + hmac.new(b"", body, hashlib.sha256).hexdigest(),
        "not a time": f"t=now,v1={'0' * 64}",
        "beyond ASCII": f"t={now},v1={'é' * 64}",
        "a thousand": f"t={now}," + ",".join("v1=00" for _ in range(1000)),
    }.items():
        headers = {} if header is None else {"Stripe-Signature": header.encode()}
        answer = await target.request("POST", f"{API}/webhooks/payments/stripe", content=body, headers=headers)
        attempt.refused(name, answer, 400, 422, 429)
    return [attempt]


def _flip(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _signed(body: bytes, secret: bytes, at: int) -> str:
    return f"t={at},v1=" + hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
