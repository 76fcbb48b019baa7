"""I1 to I8: texts, numbers and bodies made to hang, fill or confuse."""

import asyncio
import gzip
import time
from typing import Any
from urllib.parse import quote

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Target

SLOW = 2.0  # seconds; a machine that is busy otherwise takes some time for an honest answer as well
BACKTRACKING = (
    "a" * 200 + "!",
    "a@" * 90,
    "a." * 100 + "@",
    "x@" + "a-" * 90 + ".",
    "(" * 100 + ")" * 100,
    " " * 199 + "x",
    "\t" * 200,
    "1" * 199 + "x",
    "-" * 200,
    "a" * 60 + "\u0301" * 140,
    "=" * 200,
    "%" * 200,
    "_" * 200,
    "' OR '1'='1",
    "1; SELECT pg_sleep(5) --",
    "'||pg_sleep(5)||'",
)
NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-1",
    "0",
    "2147483648",
    "9223372036854775808",
    "1.5",
    "true",
    '"1"',
    "null",
)
TEXTS = (
    b'"\xff\xfe"',
    b'"\\ud800"',
    b'"a\\u0000b"',
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    b"null",
    b"[]",
    b'"x"',
    b"",
    b"{",
)


async def regular_expressions(target: Target) -> list[Attempt]:
    """Strings on which careless regular expressions and search queries take for ever."""
    attempt = Attempt("I8", "ReDoS and SQL strings in queries, ids, e-mails, headers")
    slowest = 0.0
    for text in BACKTRACKING:
        head = text.strip().encode() or b"-"  # no client would send the rest
        mail = {"email": text, "password": "a long enough passphrase", "full_name": text}
        questions: dict[str, tuple[str, str, dict[str, Any]]] = {
            "q": ("GET", f"{API}/products?q={quote(text)}", {}),
            "suggest": ("GET", f"{API}/products/suggest?q={quote(text)}", {}),
            "slug": ("GET", f"{API}/products/{quote(text, safe='')}", {}),
            "attribute": ("GET", f"{API}/products?attr.color={quote(text)}", {}),
            "sort": ("GET", f"{API}/products?sort={quote(text)}", {}),
            "e-mail": ("POST", f"{API}/auth/register", {"json": mail}),
            "conditional": ("GET", f"{API}/products", {"headers": {"If-None-Match": head, "Accept-Encoding": head}}),
            "Authorization": ("GET", f"{API}/users/me", {"headers": {"Authorization": b"Bearer " + head}}),
        }
        for name, (method, path, options) in questions.items():
            started = time.perf_counter()
            answer = await target.request(method, path, **options)
            took = time.perf_counter() - started
            slowest = max(slowest, took)
            attempt.record(f"{name}: {text[:12]}… ({took:.1f} s)", answer, held=took < SLOW)
    attempt.note(f"slowest {slowest * 1000:.0f} ms")
    return [attempt]


async def bodies(target: Target) -> list[Attempt]:
    """Bodies that are too large, too deep, packed, or not what they say."""
    attempt = Attempt("I1", "bodies: 100 MB by length and in chunks, gzip bomb, deep and wide JSON, odd encodings")
    json_ = {"Content-Type": "application/json"}
    path = f"{API}/auth/register"

    head = b"POST /api/v1/auth/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    said = await target.raw(head + b"Content-Length: 104857600\r\nConnection: close\r\n\r\n")
    attempt.record("100 MB by its length", said[9:12].decode() or "closed", held=said[9:12] == b"413")
    chunks = b"".join(b"10000\r\n" + b" " * 65536 + b"\r\n" for _ in range(32))
    said = await target.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    attempt.record("2 MB in chunks", said[9:12].decode() or "closed", held=said[9:12] in (b"413", b""))
    bomb = gzip.compress(b" " * 2**25)
    answer = await target.request("POST", path, content=bomb, headers=json_ | {"Content-Encoding": "gzip"})
    attempt.refused("gzip bomb", answer, 400, 415, 422, 429)
    for name, body in {
        "deep": b"[" * 100_000,
        "deep objects": b'{"a":' * 50_000,
        "wide": b"{" + b",".join(b'"%d":1' % number for number in range(60_000)) + b"}",
        "a number of 5000 digits": b'{"email": ' + b"9" * 5000 + b"}",
        **{f"text {text[:8]!r}": text for text in TEXTS},
    }.items():
        started = time.perf_counter()
        answer = await target.request("POST", path, content=body, headers=json_)
        took = time.perf_counter() - started
        attempt.record(f"{name} ({took:.1f} s)", answer, held=400 <= answer.status_code < 500 and took < SLOW)
    return [attempt]


async def numbers(target: Target) -> list[Attempt]:
    """Amounts and ids at the edges of what machines count."""
    attempt = Attempt("I5", "numbers: quantities, prices, ids beyond every edge")
    variant = await target.variant()
    json_ = {"Content-Type": "application/json"}
    for number in NUMBERS:
        body = f'{{"variant_id": "{variant}", "quantity": {number}}}'
        answer = await target.request("POST", f"{API}/cart/lines", content=body, headers=json_)
        attempt.refused(f"quantity {number}", answer, 400, 409, 422, 429)
    for number in ("NaN", "1e400", "-1", "9" * 500, "1e999999", "%00", "٣", "1_0", "+1"):
        for path in (f"/products?price[gte]={number}", f"/products/{number}", f"/categories/{number}"):
            attempt.refused(path[:40], await target.request("GET", f"{API}{path}"), 200, 404, 422)
    return [attempt]


async def at_once(target: Target) -> list[Attempt]:
    """A hundred expensive searches at once, and an ordinary question among them."""
    attempt = Attempt("I2", "a hundred hostile searches at once; another customer meanwhile")
    searches = [
        asyncio.create_task(target.request("GET", f"{API}/products?q={quote(BACKTRACKING[n % 12])}{n}&facets=true"))
        for n in range(100)
    ]
    started = time.perf_counter()
    attempt.refused("another customer", await target.request("GET", "/health/live"), 200)
    attempt.note(f"another customer waited {(time.perf_counter() - started) * 1000:.0f} ms")
    for answer in await asyncio.gather(*searches):
        attempt.refused("search", answer, 200, 422, 429, 503)
    return [attempt]
