"""A5 to A8: what should work once, or not any more."""

import asyncio

from scripts.attack.attempts import Attempt
from scripts.attack.target import API, Target, bearer

GRACE = 11.0  # seconds: within ten, a refresh token that comes back is a device that did not hear the answer


async def sessions(target: Target) -> list[Attempt]:
    """Refresh tokens and access tokens after their end, and one-time tokens after their use."""
    return [await _replay(target), await _race(target), await _after_the_end(target), *await _reset_tokens(target)]


async def _replay(target: Target) -> Attempt:
    attempt = Attempt("A6", "refresh replay: the first token again; then its successor must be dead too")
    first = await target.tokens("customer@example.com")
    answer = await target.request("POST", f"{API}/auth/refresh", json={"refresh_token": first["refresh_token"]})
    second = answer.json()
    await asyncio.sleep(GRACE)
    for name, token in (("the used one", first["refresh_token"]), ("its successor", second["refresh_token"])):
        answer = await target.request("POST", f"{API}/auth/refresh", json={"refresh_token": token})
        attempt.refused(name, answer, 401)
    answer = await target.request("GET", f"{API}/users/me", headers=bearer(second["access_token"]))
    attempt.refused("the successor's access token", answer, 401)
    return attempt


async def _race(target: Target) -> Attempt:
    """Ten tabs at once get a successor each, of one family; the first replay that is none of theirs ends it."""
    attempt = Attempt(
        "A7", "refresh race: one token ten times at once, on all processes; later once more ends all of it"
    )
    winners = []
    token = (await target.tokens("customer@example.com"))["refresh_token"]
    urls = [target.url, *target.limited]
    answers = await asyncio.gather(
        *(
            target.request("POST", f"{urls[number % len(urls)]}{API}/auth/refresh", json={"refresh_token": token})
            for number in range(10)
        )
    )
    for answer in answers:
        attempt.refused("one of ten", answer, 200, 401, 409, 429)
        if answer.status_code == 200:
            winners.append(answer.json()["refresh_token"])
    attempt.note(f"{len(winners)} successors")
    await asyncio.sleep(GRACE)
    for name, late in (("the first one again", token), *(("a successor", winner) for winner in winners)):
        answer = await target.request("POST", f"{API}/auth/refresh", json={"refresh_token": late})
        attempt.refused(name, answer, 401)
    return attempt


async def _after_the_end(target: Target) -> Attempt:
    attempt = Attempt("A5", "tokens after signing out, asked at every process")
    tokens = await target.tokens("customer@example.com")
    await target.request("POST", f"{API}/auth/logout", headers=bearer(tokens["access_token"]))
    await asyncio.sleep(1)  # revocation is promised within a second
    for url in (target.url, *target.limited):
        answer = await target.request("GET", f"{url}{API}/users/me", headers=bearer(tokens["access_token"]))
        attempt.refused("access token", answer, 401)
    answer = await target.request("POST", f"{API}/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    attempt.refused("refresh token", answer, 401)
    return attempt


async def _reset_tokens(target: Target) -> list[Attempt]:
    forgot, reset = f"{API}/auth/password/forgot", f"{API}/auth/password/reset"
    if target.sandbox_url is None or not target.has("POST", reset):
        return []
    attempt = Attempt(
        "A8", "reset tokens: used twice, at the same time, an older one, a guessed one; sessions after it"
    )
    account = await target.new_customer()

    async def mailed(besides: str | None = None) -> str:
        await target.request("POST", forgot, json={"email": account["email"]})
        return await target.mailed(account["email"], r"reset[^\s]*token=([\w-]+)", besides=besides) or ""

    older = await mailed()
    newer = await mailed(besides=older)
    choices = [{"token": newer, "new_password": f"another passphrase {number}!"} for number in range(5)]
    for guess in ("A" * 43, newer[:-1] + ("A" if newer[-1] != "A" else "B"), "", newer + "A", older):
        answer = await target.request("POST", reset, json=choices[0] | {"token": guess})
        attempt.refused(f"a token like {guess[:4]}…", answer, 410, 422)
    answers = await asyncio.gather(*(target.request("POST", reset, json=choice) for choice in choices))
    winners = [answer for answer in answers if answer.status_code == 200]
    for answer in answers:
        attempt.refused("five at once", answer, 200, 410)
    if len(winners) != 1:
        attempt.through.append(f"{len(winners)} of five resets at once went through")
    attempt.refused("once more", await target.request("POST", reset, json=choices[0]), 410)
    attempt.refused("the old password", await target.sign_in(account["email"], account["password"]), 400, 401)
    me = await target.request("GET", f"{API}/users/me", headers=bearer(account["access_token"]))
    attempt.refused("the session of before", me, 401)
    return [attempt]
