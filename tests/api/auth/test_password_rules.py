"""Passwords that the shop does not take, wherever one is chosen."""

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models.users import User
from app.shop import Shop
from tests.support.accounts import ADA, API, Json, all_of, bearer, events, register, sign_in
from tests.support.problems import problem_of

COMMON = ["password1", "12345678", "Emporium-2026", "emporium-demo", "aaaaaaaaaaaa"]
PERSONAL = ["ada@example.com", "AdaLovelace", "Lovelace1815", "example.com"]


def assert_refused(response: httpx.Response, pointer: str) -> None:
    problem = problem_of(response)
    assert (response.status_code, problem["code"]) == (422, "password_too_common")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, "password_too_common")]


@pytest.mark.parametrize("password", COMMON + PERSONAL)
async def test_not_at_registration(client: httpx.AsyncClient, database: Database, password: str) -> None:
    response = await register(client, password=password)

    assert_refused(response, "/password")
    assert password not in response.text
    assert await all_of(database, select(User)) == []


@pytest.mark.parametrize("password", [COMMON[0], PERSONAL[1]])
async def test_not_at_a_change(client: httpx.AsyncClient, tokens: Json, password: str) -> None:
    response = await client.post(
        f"{API}/auth/password/change",
        json={"password": ADA["password"], "new_password": password},
        headers=bearer(tokens["access_token"]),
    )

    assert_refused(response, "/new_password")
    assert (await sign_in(client)).status_code == 200


@pytest.mark.parametrize("password", [COMMON[0], PERSONAL[1]])
async def test_not_by_a_link_which_stays_good(
    client: httpx.AsyncClient, database: Database, ada: User, shop: Shop, password: str
) -> None:
    mail = await shop.credentials.issue_reset(ada.id)
    assert mail

    async def reset(new_password: str) -> httpx.Response:
        return await client.post(f"{API}/auth/password/reset", json={"token": mail.token, "new_password": new_password})

    assert_refused(await reset(password), "/new_password")
    assert "customer.password_changed" not in await events(database)
    assert (await reset("words of nobody else")).status_code == 200


@pytest.mark.parametrize("password", ["\N{SNOWMAN}" * 7 + "x", "x y z w ", "0f!" * 85 + "a"])
async def test_no_rule_asks_for_digits_or_capitals(client: httpx.AsyncClient, ada: User, password: str) -> None:
    assert (await register(client, email="grace@example.com", password=password)).status_code == 202


async def test_a_password_from_before_the_list_still_signs_in(
    client: httpx.AsyncClient, database: Database, ada: User, shop: Shop
) -> None:
    async with database.transaction() as tx:
        user = await tx.users.lock(ada.id)
        assert user
        await tx.users.set_password(user, await shop.passwords.hash("emporium-demo"), verified=False)

    assert (await sign_in(client, "emporium-demo")).status_code == 200
