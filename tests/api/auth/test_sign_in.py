"""OAuth2's password flow, wrong passwords and the lock."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from app.core.security import digest
from app.core.timing import STEP
from app.database import Database
from app.models.platform import AuditEntry
from app.models.users import User, UserSession, UserStatus
from app.shop import Shop
from tests.support.accounts import API, Json, all_of, change, code, sign_in


async def test_the_answer_is_what_oauth2_clients_expect(
    client: httpx.AsyncClient, ada: User, shop: Shop, database: Database
) -> None:
    response = await sign_in(client, grant_type="password", scope="", client_id="swagger", client_secret="x")

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("bearer", 900, "customer")
    claims = shop.tokens.read(tokens["access_token"])
    (session,) = await all_of(database, select(UserSession))
    assert (claims.user_id, claims.session_id) == (ada.id, session.family_id)
    assert session.refresh_hash == digest(tokens["refresh_token"])
    assert (str(session.ip), session.user_agent) == ("127.0.0.1", client.headers["user-agent"])


@pytest.mark.usefixtures("ada")
async def test_the_address_may_be_written_in_any_case(client: httpx.AsyncClient) -> None:
    assert (await sign_in(client, username=" ADA@Example.com ")).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_an_unknown_address_and_a_wrong_password_look_alike(
    client: httpx.AsyncClient, database: Database
) -> None:
    unknown = await sign_in(client, username="nobody@example.com")
    wrong = await sign_in(client, "wrong password")

    for response in (unknown, wrong):
        assert (response.status_code, code(response)) == (401, "invalid_credentials")
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.elapsed >= timedelta(seconds=STEP)
    differing = {"request_id"}
    assert {key: value for key, value in unknown.json().items() if key not in differing} == {
        key: value for key, value in wrong.json().items() if key not in differing
    }
    assert await all_of(database, select(UserSession)) == []


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.ANONYMISED])
@pytest.mark.usefixtures("ada")
async def test_an_account_that_is_not_active_does_not_sign_in(
    client: httpx.AsyncClient, database: Database, status: UserStatus
) -> None:
    await change(database, User, status=status)

    response = await sign_in(client)

    assert (response.status_code, code(response)) == (401, "invalid_credentials")


@pytest.mark.usefixtures("ada")
async def test_failed_attempts_are_no_edits(client: httpx.AsyncClient, database: Database) -> None:
    audited = select(AuditEntry.action).order_by(AuditEntry.position)
    before = await all_of(database, audited)

    await sign_in(client, "wrong password")

    assert await all_of(database, select(User.version)) == [1]
    assert await all_of(database, audited) == before


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"username": "ada@example.com"},
        {"username": "ada@example.com", "password": "x" * 257},
        {"username": "ada\x00@example.com", "password": "whatever"},
        {"username": "ada@example.com", "password": "what\x00ever"},
        {"username": "ada@example.com", "password": "whatever", "grant_type": "refresh_token"},
    ],
)
async def test_a_form_that_is_not_right_is_refused(client: httpx.AsyncClient, form: Json) -> None:
    response = await client.post(f"{API}/auth/token", data=form)

    assert (response.status_code, code(response)) == (422, "validation_failed")


async def test_the_eleventh_try_in_a_minute_has_to_wait(
    make_client: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    async with make_client(rate_limit_enabled=True) as client:
        answers = [await sign_in(client, username=f"user{number}@example.com") for number in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert code(answers[-1]) == "too_many_requests"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
