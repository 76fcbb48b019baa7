"""An authenticator app as a second factor."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from app.core.clock import now
from app.core.totp import STEP, code_at
from app.database import Database
from app.models.credentials import GuessBudget, RecoveryCode, SecondFactor
from app.models.users import User
from app.services.guess_limits import CODES
from tests.support.accounts import ADA, API, Json, all_of, bearer, change, code, events, me, sign_in

FACTOR = f"{API}/auth/second-factor"


class App:
    """An authenticator app. Each of its codes is of another time step, as if time went by."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._step = int(now().timestamp()) // STEP - 1

    def code(self) -> str:
        """Three of them are good at any moment."""
        self._step += 1
        return code_at(self._step - 1, self.secret)


async def post(client: httpx.AsyncClient, tokens: Json, path: str = "", **body: Any) -> httpx.Response:
    return await client.post(f"{FACTOR}{path}", json=body, headers=bearer(tokens["access_token"]))


async def state(client: httpx.AsyncClient, tokens: Json) -> Json:
    read: Json = (await client.get(FACTOR, headers=bearer(tokens["access_token"]))).json()
    return read


@pytest.fixture
async def app_of_ada(client: httpx.AsyncClient, tokens: Json) -> App:
    """It is set up and not confirmed yet."""
    response = await post(client, tokens, password=ADA["password"])
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert f"secret={response.json()['secret']}" in response.json()["otpauth_uri"]
    return App(response.json()["secret"])


@pytest.fixture
async def recovery_codes(client: httpx.AsyncClient, tokens: Json, app_of_ada: App) -> list[str]:
    """From here on a second factor is asked for."""
    response = await post(client, tokens, "/confirm", code=app_of_ada.code())
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    codes: list[str] = response.json()["recovery_codes"]
    return codes


async def test_it_is_asked_for_once_a_code_has_confirmed_it(
    client: httpx.AsyncClient, database: Database, tokens: Json, app_of_ada: App
) -> None:
    assert (await sign_in(client)).status_code == 200
    wrong = await post(client, tokens, "/confirm", code="000000")
    assert (wrong.status_code, code(wrong)) == (403, "wrong_code")
    assert await state(client, tokens) == {"enabled": False, "enabled_at": None, "recovery_codes_left": 0}

    confirmed = await post(client, tokens, "/confirm", code=app_of_ada.code())

    assert confirmed.status_code == 200
    read = await state(client, tokens)
    assert (read["enabled"], read["recovery_codes_left"]) == (True, 10)
    without = await sign_in(client)
    assert (without.status_code, code(without)) == (401, "second_factor_required")
    assert without.headers["WWW-Authenticate"] == "Bearer"
    assert (await sign_in(client, otp=app_of_ada.code())).status_code == 200
    assert (await events(database))[-1] == "customer.second_factor_enabled"


async def test_sessions_without_it_end(client: httpx.AsyncClient, tokens: Json, app_of_ada: App) -> None:
    elsewhere = (await sign_in(client)).json()

    await post(client, tokens, "/confirm", code=app_of_ada.code())

    assert code(await me(client, elsewhere["access_token"])) == "invalid_token"
    assert (await me(client, tokens["access_token"])).status_code == 200


@pytest.mark.usefixtures("recovery_codes")
async def test_a_wrong_password_is_refused_as_if_there_were_none(client: httpx.AsyncClient, app_of_ada: App) -> None:
    assert code(await sign_in(client, "not the password", otp=app_of_ada.code())) == "invalid_credentials"
    assert code(await sign_in(client, "not the password")) == "invalid_credentials"


@pytest.mark.usefixtures("recovery_codes")
async def test_a_code_works_once_and_none_before_it(client: httpx.AsyncClient, app_of_ada: App) -> None:
    earlier, later = app_of_ada.code(), app_of_ada.code()

    assert (await sign_in(client, otp=f" {later[:3]} {later[3:]} ")).status_code == 200
    for used in (later, earlier):
        refused = await sign_in(client, otp=used)
        assert (refused.status_code, code(refused)) == (401, "invalid_second_factor")


async def test_the_code_that_confirmed_it_signs_nobody_in(
    client: httpx.AsyncClient, tokens: Json, app_of_ada: App
) -> None:
    used = app_of_ada.code()
    await post(client, tokens, "/confirm", code=used)

    assert code(await sign_in(client, otp=used)) == "invalid_second_factor"


async def test_guessing_codes_ends_soon_even_with_the_password(
    client: httpx.AsyncClient, database: Database, app_of_ada: App, recovery_codes: list[str]
) -> None:
    wrong = [await sign_in(client, otp=f"{number:06}") for number in range(CODES.at_once)]
    locked = [await sign_in(client, otp=otp) for otp in (app_of_ada.code(), recovery_codes[0])]

    assert [code(each) for each in wrong] == ["invalid_second_factor"] * CODES.at_once
    assert [code(each) for each in locked] == ["account_locked"] * 2
    assert await all_of(database, select(func.count()).select_from(RecoveryCode)) == [10]
    await change(database, GuessBudget, restored_at=GuessBudget.restored_at - CODES.comes_back_after)
    assert (await sign_in(client, otp=recovery_codes[0])).status_code == 200


async def test_each_recovery_code_works_once(
    client: httpx.AsyncClient, database: Database, tokens: Json, recovery_codes: list[str]
) -> None:
    assert len(set(recovery_codes)) == 10
    assert all(re.fullmatch(r"([a-z2-7]{6}-){3}[a-z2-7]{6}", each) for each in recovery_codes)

    assert (await sign_in(client, otp=recovery_codes[0])).status_code == 200
    assert (await sign_in(client, otp=recovery_codes[1].upper().replace("-", " "))).status_code == 200
    assert code(await sign_in(client, otp=recovery_codes[0])) == "invalid_second_factor"

    assert (await state(client, tokens))["recovery_codes_left"] == 8
    assert (await events(database)).count("customer.recovery_code_used") == 2


async def test_recovery_codes_are_renewed(
    client: httpx.AsyncClient, tokens: Json, app_of_ada: App, recovery_codes: list[str]
) -> None:
    renewed = await post(client, tokens, "/recovery-codes", password=ADA["password"], code=app_of_ada.code())

    assert renewed.status_code == 200
    fresh = renewed.json()["recovery_codes"]
    assert set(fresh).isdisjoint(recovery_codes)
    assert code(await sign_in(client, otp=recovery_codes[0])) == "invalid_second_factor"
    assert (await sign_in(client, otp=fresh[0])).status_code == 200


async def test_it_is_disabled_with_the_password_and_a_code(
    client: httpx.AsyncClient, database: Database, tokens: Json, app_of_ada: App, recovery_codes: list[str]
) -> None:
    no_password = await post(client, tokens, "/disable", password="not it", code=app_of_ada.code())
    no_code = await post(client, tokens, "/disable", password=ADA["password"], code="000000")
    assert (no_password.status_code, code(no_password)) == (403, "wrong_password")
    assert (no_code.status_code, code(no_code)) == (403, "wrong_code")
    assert (await state(client, tokens))["enabled"] is True

    disabled = await post(client, tokens, "/disable", password=ADA["password"], code=recovery_codes[0])

    assert disabled.status_code == 204
    assert (await sign_in(client)).status_code == 200
    assert await all_of(database, select(RecoveryCode.hash)) == []
    assert (await events(database))[-1] == "customer.second_factor_disabled"
    again = await post(client, tokens, "/disable", password=ADA["password"], code=recovery_codes[1])
    assert (again.status_code, code(again)) == (409, "second_factor_not_enabled")


async def test_one_that_is_confirmed_is_not_replaced(
    client: httpx.AsyncClient, database: Database, tokens: Json, app_of_ada: App, recovery_codes: list[str]
) -> None:
    again = await post(client, tokens, password=ADA["password"])
    confirmed = await post(client, tokens, "/confirm", code=app_of_ada.code())

    for response in (again, confirmed):
        assert (response.status_code, code(response)) == (409, "second_factor_enabled")
    assert (await sign_in(client, otp=recovery_codes[0])).status_code == 200


async def test_one_that_was_only_begun_is_begun_anew(client: httpx.AsyncClient, tokens: Json, app_of_ada: App) -> None:
    response = await post(client, tokens, password=ADA["password"])

    newer = App(response.json()["secret"])
    assert newer.secret != app_of_ada.secret
    assert code(await post(client, tokens, "/confirm", code=app_of_ada.code())) == "wrong_code"
    assert (await post(client, tokens, "/confirm", code=newer.code())).status_code == 200


async def test_setting_up_takes_the_password_and_something_to_confirm(client: httpx.AsyncClient, tokens: Json) -> None:
    assert code(await post(client, tokens, password="not the password")) == "wrong_password"
    assert code(await post(client, tokens, "/confirm", code="123456")) == "second_factor_not_enabled"


async def test_a_session_has_few_guesses(client: httpx.AsyncClient, tokens: Json, app_of_ada: App) -> None:
    for number in range(5):
        assert code(await post(client, tokens, "/confirm", code=f"{number:06}")) == "wrong_code"

    assert code(await post(client, tokens, "/confirm", code=app_of_ada.code())) == "account_locked"


async def test_the_secret_is_encrypted_and_the_codes_are_hashed(
    database: Database, app_of_ada: App, recovery_codes: list[str]
) -> None:
    (stored,) = await all_of(database, select(text("secret")).select_from(SecondFactor))
    hashes = await all_of(database, select(RecoveryCode.hash))

    assert app_of_ada.secret not in stored
    assert stored.startswith("v1.")
    assert {len(each) for each in hashes} == {32}


async def test_a_new_password_does_not_take_it_away(
    client: httpx.AsyncClient, shop: Any, ada: User, recovery_codes: list[str]
) -> None:
    mail = await shop.credentials.issue_reset(ada.id)
    body = {"token": mail.token, "new_password": "another long passphrase"}
    assert (await client.post(f"{API}/auth/password/reset", json=body)).status_code == 200

    assert code(await sign_in(client, "another long passphrase")) == "second_factor_required"
    assert (await sign_in(client, "another long passphrase", otp=recovery_codes[0])).status_code == 200


@pytest.mark.usefixtures("recovery_codes")
async def test_an_old_code_is_too_old(client: httpx.AsyncClient, app_of_ada: App) -> None:
    past = int((now() - timedelta(seconds=3 * STEP)).timestamp()) // STEP

    assert code(await sign_in(client, otp=code_at(past, app_of_ada.secret))) == "invalid_second_factor"
