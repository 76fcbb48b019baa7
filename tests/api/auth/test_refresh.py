"""Staying signed in, and signing out."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from app.database import Database
from app.models.users import Role, User, UserSession, UserStatus
from app.shop import Shop
from tests.support.accounts import API, Json, all_of, bearer, change, code, me, refresh, sign_in


async def test_every_refresh_answers_with_the_next_pair(
    client: httpx.AsyncClient, tokens: Json, shop: Shop, database: Database
) -> None:
    response = await refresh(client, tokens["refresh_token"])

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    fresh = response.json()
    assert fresh["refresh_token"] != tokens["refresh_token"]
    before, after = (shop.tokens.read(pair["access_token"]) for pair in (tokens, fresh))
    assert before.session_id == after.session_id
    assert (await me(client, fresh["access_token"])).status_code == 200
    first, second = await all_of(database, select(UserSession).order_by(UserSession.id))
    assert first.replaced_by == second.id
    assert first.expires_at == second.expires_at


async def test_a_token_that_comes_back_ends_the_whole_family(
    client: httpx.AsyncClient, tokens: Json, database: Database
) -> None:
    newest = (await refresh(client, tokens["refresh_token"])).json()
    other_sign_in = (await sign_in(client)).json()
    await change(database, UserSession, replaced_at=UserSession.replaced_at - timedelta(seconds=11))

    stolen = await refresh(client, tokens["refresh_token"])

    assert (stolen.status_code, code(stolen)) == (401, "token_reused")
    dead = await refresh(client, newest["refresh_token"])
    assert (dead.status_code, code(dead)) == (401, "invalid_token")
    for pair in (tokens, newest):
        assert code(await me(client, pair["access_token"])) == "invalid_token"
    assert code(await refresh(client, tokens["refresh_token"])) == "token_reused"
    assert (await me(client, other_sign_in["access_token"])).status_code == 200
    assert (await refresh(client, other_sign_in["refresh_token"])).status_code == 200


async def test_a_second_tab_gets_a_successor_of_its_own(client: httpx.AsyncClient, tokens: Json) -> None:
    first, second = [(await refresh(client, tokens["refresh_token"])).json() for _ in range(2)]

    assert first["refresh_token"] != second["refresh_token"]
    for pair in (first, second):
        assert (await refresh(client, pair["refresh_token"])).status_code == 200


@pytest.mark.parametrize("change_to", [{"status": UserStatus.DISABLED}, {"status": UserStatus.ANONYMISED}])
async def test_an_account_that_is_not_active_stays_out(
    client: httpx.AsyncClient, tokens: Json, database: Database, change_to: Json
) -> None:
    await change(database, User, **change_to)

    assert code(await refresh(client, tokens["refresh_token"])) == "invalid_token"
    assert code(await me(client, tokens["access_token"])) == "invalid_token"


async def test_a_family_ends_with_its_first_token(client: httpx.AsyncClient, tokens: Json, database: Database) -> None:
    newest = (await refresh(client, tokens["refresh_token"])).json()
    await change(database, UserSession, expires_at=func.now() - timedelta(seconds=1))

    assert code(await refresh(client, newest["refresh_token"])) == "invalid_token"
    assert code(await me(client, newest["access_token"])) == "invalid_token"


@pytest.mark.parametrize("token", ["A" * 43, "x", "é 'or 1=1", "a.b.c"])
async def test_an_unknown_token_is_not_a_reused_one(client: httpx.AsyncClient, token: str) -> None:
    assert code(await refresh(client, token)) == "invalid_token"


async def test_an_access_token_is_no_refresh_token(client: httpx.AsyncClient, tokens: Json) -> None:
    assert code(await refresh(client, tokens["access_token"])) == "invalid_token"
    assert code(await me(client, tokens["refresh_token"])) == "invalid_token"


async def test_the_role_is_read_from_the_account_at_every_request(
    client: httpx.AsyncClient, tokens: Json, database: Database
) -> None:
    await change(database, User, role=Role.SUPPORT)

    assert (await me(client, tokens["access_token"])).json()["role"] == "support"
    assert (await refresh(client, tokens["refresh_token"])).json()["scope"] == "support"


async def test_both_tokens_stop_working_at_once(client: httpx.AsyncClient, tokens: Json) -> None:
    newest = (await refresh(client, tokens["refresh_token"])).json()

    response = await client.post(f"{API}/auth/logout", headers=bearer(tokens["access_token"]))

    assert (response.status_code, response.content) == (204, b"")
    assert code(await me(client, newest["access_token"])) == "invalid_token"
    assert code(await refresh(client, newest["refresh_token"])) == "invalid_token"
    again = await client.post(f"{API}/auth/logout", headers=bearer(tokens["access_token"]))
    assert (again.status_code, code(again)) == (401, "invalid_token")


async def test_the_second_tab_ends_too(client: httpx.AsyncClient, tokens: Json) -> None:
    first, second = [(await refresh(client, tokens["refresh_token"])).json() for _ in range(2)]

    await client.post(f"{API}/auth/logout", headers=bearer(first["access_token"]))

    assert code(await refresh(client, second["refresh_token"])) == "invalid_token"


async def test_other_sign_ins_go_on(client: httpx.AsyncClient, tokens: Json) -> None:
    elsewhere = (await sign_in(client)).json()

    await client.post(f"{API}/auth/logout", headers=bearer(tokens["access_token"]))

    assert (await me(client, elsewhere["access_token"])).status_code == 200
