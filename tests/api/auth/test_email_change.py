"""Another e-mail address for an account."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from app.core.timing import STEP
from app.database import Database
from app.models.credentials import EmailChange
from app.models.users import OneTimeToken, User
from app.services.email_changes import AddressTaken
from app.services.registrations import LinkMail
from app.shop import Shop
from tests.support.accounts import ADA, API, Json, all_of, bearer, change, code, events, me, register, sign_in

NEW = "countess@example.com"


async def ask(
    client: httpx.AsyncClient, tokens: Json, new_email: str = NEW, password: str = ADA["password"]
) -> httpx.Response:
    body = {"new_email": new_email, "password": password}
    return await client.post(f"{API}/users/me/email", json=body, headers=bearer(tokens["access_token"]))


async def confirm(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post(f"{API}/auth/verify-email", json={"token": token})


async def link_of(shop: Shop) -> str:
    """What the newest mail about a change holds."""
    (change_id,) = await all_of(shop.database, select(EmailChange.id).where(EmailChange.confirmed_at.is_(None)))
    mail = await shop.email_changes.issue_confirmation(change_id)
    assert isinstance(mail, LinkMail)
    assert (mail.email, mail.full_name) == (NEW, ADA["full_name"])
    return mail.token


async def test_the_new_address_counts_once_it_is_confirmed(
    client: httpx.AsyncClient, database: Database, tokens: Json, shop: Shop
) -> None:
    asked = await ask(client, tokens, " Countess@Example.com ")
    assert asked.status_code == 202
    assert (await me(client, tokens["access_token"])).json()["email"] == ADA["email"]
    assert (await sign_in(client)).status_code == 200

    token = await link_of(shop)
    first, second = await confirm(client, token), await confirm(client, token)

    assert first.status_code == 200
    assert (second.status_code, code(second)) == (410, "token_expired")
    account = (await me(client, tokens["access_token"])).json()
    assert (account["email"], account["version"]) == (NEW, 2)
    assert account["email_verified_at"] is not None
    assert (await sign_in(client, username=NEW)).status_code == 200
    assert code(await sign_in(client)) == "invalid_credentials"
    assert await events(database) == [
        "customer.registered",
        "customer.email_change_requested",
        "customer.email_change_noticed",
        "customer.email_changed",
    ]


async def test_it_takes_the_password(client: httpx.AsyncClient, database: Database, tokens: Json) -> None:
    response = await ask(client, tokens, password="not the password")

    assert (response.status_code, code(response)) == (403, "wrong_password")
    assert await all_of(database, select(EmailChange)) == []


async def test_nobody_learns_that_an_address_is_taken(
    client: httpx.AsyncClient, database: Database, tokens: Json, shop: Shop
) -> None:
    free = await ask(client, tokens)
    await register(client, email="grace@example.com", full_name="Grace Hopper")
    taken = await ask(client, tokens, "grace@example.com")

    assert (free.status_code, free.content) == (taken.status_code, taken.content)
    assert min(free.elapsed, taken.elapsed) >= timedelta(seconds=STEP)
    (waiting,) = await all_of(database, select(EmailChange))
    assert await shop.email_changes.issue_confirmation(waiting.id) == AddressTaken("grace@example.com", "Grace Hopper")
    assert await all_of(database, select(OneTimeToken)) == []


async def test_who_registers_the_address_meanwhile_keeps_it(
    client: httpx.AsyncClient, database: Database, tokens: Json, shop: Shop
) -> None:
    await ask(client, tokens)
    token = await link_of(shop)
    await register(client, email=NEW)

    response = await confirm(client, token)

    assert (response.status_code, code(response)) == (409, "email_taken")
    assert (await me(client, tokens["access_token"])).json()["email"] == ADA["email"]
    assert (await client.post("/verify-email", data={"token": token})).status_code == 410


async def test_a_later_request_ends_an_earlier_one(client: httpx.AsyncClient, tokens: Json, shop: Shop) -> None:
    await ask(client, tokens)
    earlier = await link_of(shop)
    await ask(client, tokens, "other@example.com")

    assert code(await confirm(client, earlier)) == "token_expired"
    assert (await me(client, tokens["access_token"])).json()["email"] == ADA["email"]


async def test_a_mail_that_was_sent_twice_holds_two_good_links(
    client: httpx.AsyncClient, tokens: Json, shop: Shop
) -> None:
    await ask(client, tokens)
    first, second = await link_of(shop), await link_of(shop)

    assert (await confirm(client, first)).status_code == 200
    assert code(await confirm(client, second)) == "token_expired"


async def test_the_address_that_there_is_changes_nothing(
    client: httpx.AsyncClient, database: Database, tokens: Json
) -> None:
    assert (await ask(client, tokens, ADA["email"])).status_code == 202

    assert await all_of(database, select(EmailChange)) == []
    assert await events(database) == ["customer.registered"]


async def test_an_old_link_is_gone(client: httpx.AsyncClient, database: Database, tokens: Json, shop: Shop) -> None:
    await ask(client, tokens)
    token = await link_of(shop)
    await change(database, OneTimeToken, expires_at=func.now() - timedelta(seconds=1))

    assert code(await confirm(client, token)) == "token_expired"


async def test_links_to_the_old_address_end(
    client: httpx.AsyncClient, database: Database, ada: User, tokens: Json, shop: Shop
) -> None:
    reset = await shop.credentials.issue_reset(ada.id)
    assert reset
    await ask(client, tokens)

    await confirm(client, await link_of(shop))

    body = {"token": reset.token, "new_password": "another long passphrase"}
    assert code(await client.post(f"{API}/auth/password/reset", json=body)) == "token_expired"
    await change(database, User, email=ADA["email"])  # nor do they begin to live again with the address
    assert code(await client.post(f"{API}/auth/password/reset", json=body)) == "token_expired"


@pytest.mark.parametrize("token", ["A" * 43, "x"])
async def test_an_unknown_link_is_gone(client: httpx.AsyncClient, token: str) -> None:
    assert code(await confirm(client, token)) == "token_expired"
