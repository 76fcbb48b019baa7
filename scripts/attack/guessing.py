"""A9 to A11: passwords guessed, accounts found out, limits walked around."""

import asyncio
import random
import statistics
import time
from itertools import product
from uuid import uuid4

import httpx

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Target

KNOWN = ("customer", "support", "catalog", "warehouse", "analyst", "admin")
SAMPLES = 42  # on each side: seven wrong passwords for each account, which lock none
CHANCE = (0.3, 0.7)  # of so few samples; a naive sign-in, which hashes nothing for nobody, has 0.99
GUESSES = 60
ALLOWED = 10  # a minute and address, for signing in


async def enumeration(target: Target) -> list[Attempt]:
    """Whether an account exists: by status, by body, by header and by time."""
    attempt = Attempt("A9", "enumeration: a known and an unknown address at sign-in and registration")
    for name, ask in {"sign-in": _wrong_password, "register": _registration}.items():
        if target.sandbox_url is None and name == "register":
            continue
        times: dict[bool, list[float]] = {True: [], False: []}
        said: dict[bool, set[tuple[int, str]]] = {True: set(), False: set()}
        order = [(known, number) for known in (True, False) for number in range(SAMPLES)]
        random.Random(7).shuffle(order)  # noqa: S311 - the machine's drift falls on both sides alike
        for known, number in order:
            email = f"{KNOWN[number % len(KNOWN)] if known else uuid4().hex[:8]}@example.com"
            started = time.perf_counter()
            answer = await ask(target, email)
            times[known].append(time.perf_counter() - started)
            attempt.refused(f"{name}, {'known' if known else 'unknown'}", answer, 202, 400, 401, 423, 429)
            if answer.status_code not in (423, 429):  # a locked account is one, and so is one that does not exist
                said[known].add(_said(answer))
        if len(said[True] | said[False]) > 1:
            attempt.through.append(f"{name}: the answers differ: {said}")
        auc = _auc(times[True], times[False])
        attempt.note(
            f"{name}: AUC of times {auc:.2f}, medians {_milliseconds(times[True])}/{_milliseconds(times[False])} ms"
        )
        if not CHANCE[0] <= auc <= CHANCE[1]:
            attempt.through.append(f"{name}: times tell known from unknown (AUC {auc:.2f})")
    return [attempt]


async def brute_force(target: Target) -> list[Attempt]:
    """One account from one address, many accounts from one address, with the address made up each time."""
    if not target.limited:
        return []
    attempt = Attempt("A10", f"brute force and spraying: {GUESSES} guesses at once on all limited processes")
    answers = await asyncio.gather(*(_guess(target, number) for number in range(GUESSES)))
    for answer in answers:
        attempt.refused("a guess", answer, 400, 401, 423, 429)
    reached = sum(answer.status_code != 429 for answer in answers)
    attempt.note(f"{reached} reached a password")
    if reached > ALLOWED:
        attempt.through.append(f"{reached} guesses in a minute reached a password, {ALLOWED} are allowed")
    refused = next((answer for answer in answers if answer.status_code == 429), None)
    if refused is not None and not {"retry-after", "ratelimit", "ratelimit-policy"} <= set(refused.headers):
        attempt.through.append("a refusal without Retry-After, RateLimit and RateLimit-Policy")
    return [attempt, await _around_the_limit(target)]


async def _around_the_limit(target: Target) -> Attempt:
    """Directly after `brute_force`: the limit is used up, and nothing may lift it."""
    attempt = Attempt("A11", "around the limit: X-Forwarded-For and others, spellings of the path, methods")
    names = (
        "X-Forwarded-For",
        "X-Real-IP",
        "Forwarded",
        "X_FORWARDED_FOR",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
    )
    for name, number in product(names, range(4)):
        value = f"198.51.100.{number}"
        headers = {name: f"for={value}" if name == "Forwarded" else value}
        attempt.refused(f"{name}: {value}", await _guess(target, number, headers=headers), 429)
    for headers in ({"X-Forwarded-For": "not-an-ip"}, {"X-Forwarded-For": "1.1.1.1, 127.0.0.1"}):
        attempt.refused(str(headers), await _guess(target, 1, headers=headers), 429)
    for path in (
        f"{API}/auth/token/",
        f"{API}//auth/token",
        f"{API}/auth/Token",
        f"{API}/auth/%74oken",
        f"{API}/auth/token?x=1",
    ):
        attempt.refused(path, await _guess(target, 2, path=path), 404, 429)
    return attempt


async def _guess(
    target: Target, number: int, *, path: str = f"{API}/auth/token", headers: dict[str, str] | None = None
) -> httpx.Response:
    form = {"username": ("admin@example.com", f"{uuid4().hex}@example.com")[number % 2], "password": f"guess {uuid4()}"}
    url = target.limited[number % len(target.limited)]
    return await target.request("POST", f"{url}{path}", data=form, headers=headers)


async def _wrong_password(target: Target, email: str) -> httpx.Response:
    return await target.sign_in(email, "not the password of anybody")


async def _registration(target: Target, email: str) -> httpx.Response:
    body = {"email": email, "password": f"a passphrase {uuid4()}", "full_name": "Eve Eden"}
    return await target.request("POST", f"{API}/auth/register", json=body)


def _said(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    for own in ("request_id", "instance"):
        body.pop(own, None)
    return answer.status_code, str(body)


def _auc(one: list[float], other: list[float]) -> float:
    """How often a time of the one is longer than a time of the other: 0.5 when they tell nothing."""
    longer = sum((a > b) + (a == b) / 2 for a, b in product(one, other))
    return longer / (len(one) * len(other))


def _milliseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:.0f}"
