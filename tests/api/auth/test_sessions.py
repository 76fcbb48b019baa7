"""Where somebody is signed in."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.users import User, UserSession
from app.shop import Shop
from tests.support.accounts import API, Json, bearer, change, code, me, refresh, sign_in
from tests.support.shopping import signed_in
from tests.support.statements import count_statements


async def sessions(client: httpx.AsyncClient, tokens: Json, **query: object) -> Json:
    response = await client.get(
        f"{API}/auth/sessions", headers=bearer(tokens["access_token"]), params={k: str(v) for k, v in query.items()}
    )
    assert response.status_code == 200, response.text
    page: Json = response.json()
    return page


async def end(client: httpx.AsyncClient, tokens: Json, session_id: object) -> httpx.Response:
    return await client.delete(f"{API}/auth/sessions/{session_id}", headers=bearer(tokens["access_token"]))


async def test_a_session_is_all_that_follows_from_a_sign_in(
    client: httpx.AsyncClient, client_at: Callable[[str], httpx.AsyncClient], tokens: Json
) -> None:
    phone = client_at("2001:db8::7")
    phone.headers["User-Agent"] = "Phone"
    pair = (await sign_in(phone)).json()
    moved = client_at("192.0.2.7")
    moved.headers["User-Agent"] = "Phone 2"
    await refresh(moved, pair["refresh_token"])

    page = await sessions(client, tokens, include_total=True)

    newest, oldest = page["data"]
    assert page["page"]["total"] == 2
    assert (newest["user_agent"], newest["ip"], newest["current"]) == ("Phone 2", "192.0.2.7", False)
    assert (oldest["ip"], oldest["current"]) == ("127.0.0.1", True)
    assert oldest.keys() == {"id", "current", "user_agent", "ip", "created_at", "last_used_at", "expires_at"}


async def test_one_is_ended(client: httpx.AsyncClient, tokens: Json) -> None:
    elsewhere = (await sign_in(client)).json()
    newest, _ = (await sessions(client, tokens))["data"]

    response = await end(client, tokens, newest["id"])

    assert (response.status_code, response.content) == (204, b"")
    assert code(await me(client, elsewhere["access_token"])) == "invalid_token"
    assert code(await refresh(client, elsewhere["refresh_token"])) == "invalid_token"
    assert (await me(client, tokens["access_token"])).status_code == 200
    assert code(await end(client, tokens, newest["id"])) == "not_found"
    assert [each["current"] for each in (await sessions(client, tokens))["data"]] == [True]


async def test_nobody_elses(client: httpx.AsyncClient, tokens: Json, shop: Shop) -> None:
    stranger = await signed_in(shop)
    (mine,) = (await sessions(client, tokens))["data"]
    theirs = await client.get(f"{API}/auth/sessions", headers=stranger)

    assert [each["id"] for each in theirs.json()["data"]] != [mine["id"]]
    for target in (mine["id"], uuid4()):
        refused = await client.delete(f"{API}/auth/sessions/{target}", headers=stranger)
        assert (refused.status_code, code(refused)) == (404, "not_found")
    assert (await me(client, tokens["access_token"])).status_code == 200


async def test_a_rotated_token_is_no_session_of_its_own(client: httpx.AsyncClient, tokens: Json, shop: Shop) -> None:
    await refresh(client, tokens["refresh_token"])

    assert len((await sessions(client, tokens))["data"]) == 1


async def test_what_ended_is_not_shown(client: httpx.AsyncClient, database: Database, tokens: Json) -> None:
    await change(database, UserSession, expires_at=func.now() - timedelta(seconds=1))
    fresh = (await sign_in(client)).json()

    assert [each["current"] for each in (await sessions(client, fresh))["data"]] == [True]


async def test_pages_lead_through_all_of_them(
    client: httpx.AsyncClient, tokens: Json, connection: AsyncConnection
) -> None:
    for _ in range(4):
        await sign_in(client)
    whole = (await sessions(client, tokens))["data"]

    with count_statements(connection) as for_one:
        first = await sessions(client, tokens, limit=2)
    with count_statements(connection) as for_all:
        await sessions(client, tokens, limit=100)
    second = await sessions(client, tokens, limit=2, cursor=first["page"]["next_cursor"])
    third = await sessions(client, tokens, limit=2, cursor=second["page"]["next_cursor"])
    back = await sessions(client, tokens, limit=2, cursor=third["page"]["prev_cursor"])

    assert [*first["data"], *second["data"], *third["data"]] == whole
    assert back["data"] == second["data"]
    assert len(whole) == 5
    assert len(for_one) == len(for_all)


async def test_a_cursor_of_somebody_else_is_none(client: httpx.AsyncClient, tokens: Json, shop: Shop) -> None:
    await sign_in(client)
    cursor = (await sessions(client, tokens, limit=1))["page"]["next_cursor"]

    response = await client.get(f"{API}/auth/sessions", headers=await signed_in(shop), params={"cursor": cursor})

    assert (response.status_code, code(response)) == (400, "invalid_cursor")


@pytest.mark.usefixtures("ada")
async def test_all_are_ended_at_once(client: httpx.AsyncClient, ada: User, tokens: Json, shop: Shop) -> None:
    elsewhere = (await sign_in(client)).json()
    stranger = await signed_in(shop)

    response = await client.post(f"{API}/auth/logout-all", headers=bearer(tokens["access_token"]))

    assert (response.status_code, response.content) == (204, b"")
    for pair in (tokens, elsewhere):
        assert code(await me(client, pair["access_token"])) == "invalid_token"
        assert code(await refresh(client, pair["refresh_token"])) == "invalid_token"
    assert (await client.get(f"{API}/users/me", headers=stranger)).status_code == 200
