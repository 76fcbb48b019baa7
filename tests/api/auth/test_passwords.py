"""Forgotten passwords, and new ones."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from app.core.security import digest
from app.core.timing import STEP
from app.database import Database
from app.models.platform import AuditEntry
from app.models.users import OneTimeToken, TokenPurpose, User, UserStatus
from app.services.guess_limits import MAILS
from app.shop import Shop
from tests.support.accounts import ADA, API, Json, all_of, bearer, change, code, events, me, refresh, register, sign_in

NEW = "another long passphrase"


async def forgot(client: httpx.AsyncClient, email: str = ADA["email"]) -> httpx.Response:
    return await client.post(f"{API}/auth/password/forgot", json={"email": email})


async def reset(client: httpx.AsyncClient, token: str, new_password: str = NEW) -> httpx.Response:
    return await client.post(f"{API}/auth/password/reset", json={"token": token, "new_password": new_password})


async def change_password(client: httpx.AsyncClient, tokens: Json, password: str = ADA["password"]) -> httpx.Response:
    body = {"password": password, "new_password": NEW}
    return await client.post(f"{API}/auth/password/change", json=body, headers=bearer(tokens["access_token"]))


async def link_of(shop: Shop, user: User) -> str:
    mail = await shop.credentials.issue_reset(user.id)
    assert mail
    assert (mail.email, mail.full_name) == (user.email, user.full_name)
    return mail.token


# Forgotten


async def test_a_link_is_mailed_to_who_has_an_account_and_nobody_learns_who_has(
    client: httpx.AsyncClient, database: Database, ada: User
) -> None:
    answers = [await forgot(client, email) for email in ("ada@example.com", " ADA@Example.com ", "nobody@example.com")]
    await change(database, User, status=UserStatus.DISABLED)
    answers.append(await forgot(client))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert all(answer.elapsed >= timedelta(seconds=STEP) for answer in answers)
    assert await events(database) == ["customer.registered", *["customer.password_reset_requested"] * 2]


async def test_nobodys_mailbox_is_flooded(client: httpx.AsyncClient, database: Database, ada: User) -> None:
    for _ in range(MAILS.at_once + 2):
        assert (await forgot(client)).status_code == 202

    mailed = [event for event in await events(database) if event == "customer.password_reset_requested"]
    assert len(mailed) == MAILS.at_once - 1  # registering was the first mail


async def test_the_link_sets_a_new_password_once(
    client: httpx.AsyncClient, database: Database, ada: User, shop: Shop
) -> None:
    token = await link_of(shop, ada)

    first, second = await reset(client, token), await reset(client, token, "yet another passphrase")

    assert first.status_code == 200
    assert (second.status_code, code(second)) == (410, "token_expired")
    assert (await sign_in(client, NEW)).status_code == 200
    assert code(await sign_in(client)) == "invalid_credentials"
    assert await events(database) == ["customer.registered", "customer.password_changed"]


async def test_the_link_is_a_hash_of_256_bits_that_ends_within_half_an_hour(
    database: Database, ada: User, shop: Shop
) -> None:
    token = await link_of(shop, ada)

    (stored,) = await all_of(database, select(OneTimeToken).where(OneTimeToken.purpose == TokenPurpose.RESET_PASSWORD))
    (now,) = await all_of(database, select(func.now()))
    assert len(token) == 43
    assert stored.hash == digest(token)
    assert timedelta(minutes=29) < stored.expires_at - now <= timedelta(minutes=30, seconds=10)


async def test_every_sign_in_ends(client: httpx.AsyncClient, ada: User, tokens: Json, shop: Shop) -> None:
    elsewhere = (await sign_in(client)).json()

    await reset(client, await link_of(shop, ada))

    for pair in (tokens, elsewhere):
        assert code(await me(client, pair["access_token"])) == "invalid_token"
        assert code(await refresh(client, pair["refresh_token"])) == "invalid_token"


async def test_a_newer_link_ends_an_older_one(client: httpx.AsyncClient, ada: User, shop: Shop) -> None:
    older, newer = await link_of(shop, ada), await link_of(shop, ada)

    assert code(await reset(client, older)) == "token_expired"
    assert (await reset(client, newer)).status_code == 200


async def test_a_link_ends_with_a_change_of_the_password(
    client: httpx.AsyncClient, ada: User, tokens: Json, shop: Shop
) -> None:
    token = await link_of(shop, ada)

    assert (await change_password(client, tokens)).status_code == 204

    assert code(await reset(client, token, "yet another passphrase")) == "token_expired"


async def test_a_link_to_an_address_that_was_replaced_is_gone(
    client: httpx.AsyncClient, database: Database, ada: User, shop: Shop
) -> None:
    """Even if it was made at the very moment of the change, which had no chance to delete it."""
    token = await link_of(shop, ada)
    await change(database, User, email="countess@example.com")

    assert code(await reset(client, token)) == "token_expired"


async def test_old_unknown_and_foreign_links_are_gone(
    client: httpx.AsyncClient, database: Database, ada: User, shop: Shop
) -> None:
    token = await link_of(shop, ada)
    await change(database, User, email_verified_at=None)
    confirmation = await shop.registrations.issue_email_verification(ada.id)
    assert confirmation
    await change(database, OneTimeToken, expires_at=func.now() + timedelta(seconds=1))
    assert code(await reset(client, confirmation.token)) == "token_expired"
    assert code(await client.post(f"{API}/auth/verify-email", json={"token": token})) == "token_expired"

    await change(database, OneTimeToken, expires_at=func.now() - timedelta(seconds=1))
    for each in (token, "A" * 43, "\N{SNOWMAN}"):
        assert code(await reset(client, each)) == "token_expired"


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.ANONYMISED])
async def test_an_account_that_is_not_active_gets_no_new_password(
    client: httpx.AsyncClient, database: Database, ada: User, shop: Shop, status: UserStatus
) -> None:
    token = await link_of(shop, ada)
    await change(database, User, status=status)

    assert code(await reset(client, token)) == "token_expired"
    assert await shop.credentials.issue_reset(ada.id) is None


async def test_whoever_got_the_link_has_shown_that_the_address_is_theirs(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    await register(client)
    (user,) = await all_of(database, select(User))
    assert code(await sign_in(client)) == "email_not_verified"

    assert (await reset(client, await link_of(shop, user))).status_code == 200

    assert (await sign_in(client, NEW)).status_code == 200
    assert await events(database) == ["customer.registered", "customer.verified", "customer.password_changed"]


# Changed


async def test_a_change_signs_everybody_else_out(
    client: httpx.AsyncClient, database: Database, ada: User, tokens: Json
) -> None:
    elsewhere = (await sign_in(client)).json()

    response = await change_password(client, tokens)

    assert (response.status_code, response.content) == (204, b"")
    assert (await me(client, tokens["access_token"])).status_code == 200
    assert (await refresh(client, tokens["refresh_token"])).status_code == 200
    assert code(await me(client, elsewhere["access_token"])) == "invalid_token"
    assert code(await refresh(client, elsewhere["refresh_token"])) == "invalid_token"
    assert (await sign_in(client, NEW)).status_code == 200
    assert code(await sign_in(client)) == "invalid_credentials"
    assert (await events(database))[-1] == "customer.password_changed"
    changed = (await all_of(database, select(AuditEntry).order_by(AuditEntry.position)))[-1]
    assert (changed.entity, changed.actor_id) == ("users", str(ada.id))
    assert ADA["password"] not in str(changed.new)
    assert "argon2" not in str(changed.new)


async def test_it_takes_the_password_that_there_is(client: httpx.AsyncClient, tokens: Json) -> None:
    wrong = [await change_password(client, tokens, "not the password") for _ in range(5)]
    locked = await change_password(client, tokens)

    assert [(answer.status_code, code(answer)) for answer in wrong] == [(403, "wrong_password")] * 5
    assert (locked.status_code, code(locked)) == (423, "account_locked")
    assert int(locked.headers["Retry-After"]) <= 12 * 60
    assert (await sign_in(client)).status_code == 200  # whoever stole a session locks nobody out
