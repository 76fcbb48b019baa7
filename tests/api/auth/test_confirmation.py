"""Confirming an e-mail address by a link that works once."""

from datetime import timedelta

import httpx
from sqlalchemy import func, select

from app.core.security import digest
from app.database import Database
from app.models.users import OneTimeToken, User
from app.shop import Shop
from tests.support.accounts import API, all_of, change, code, events, register, sign_in


async def test_the_link_works_once(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    await register(client)
    (user,) = await all_of(database, select(User))
    mail = await shop.registrations.issue_email_verification(user.id)
    assert mail
    assert (mail.email, mail.full_name) == ("ada@example.com", "Ada Lovelace")

    first = await client.post(f"{API}/auth/verify-email", json={"token": mail.token})
    second = await client.post(f"{API}/auth/verify-email", json={"token": mail.token})

    assert first.status_code == 200
    assert (second.status_code, code(second)) == (410, "token_expired")
    assert (await sign_in(client)).status_code == 200
    assert await events(database) == ["customer.registered", "customer.verified"]
    assert await shop.registrations.issue_email_verification(user.id) is None


async def test_only_the_hash_of_the_link_is_kept(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    await register(client)
    (user,) = await all_of(database, select(User))
    mail = await shop.registrations.issue_email_verification(user.id)
    assert mail

    assert await all_of(database, select(OneTimeToken.hash)) == [digest(mail.token)]


async def test_an_old_or_unknown_link_is_gone(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    await register(client)
    (user,) = await all_of(database, select(User))
    mail = await shop.registrations.issue_email_verification(user.id)
    assert mail
    await change(database, OneTimeToken, expires_at=func.now() - timedelta(seconds=1))

    for token in (mail.token, "A" * 43):
        response = await client.post(f"{API}/auth/verify-email", json={"token": token})
        assert (response.status_code, code(response)) == (410, "token_expired")
    assert await all_of(database, select(User.email_verified_at)) == [None]


async def test_a_link_from_an_earlier_mail_still_confirms_and_announces_once(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    await register(client)
    (user,) = await all_of(database, select(User))
    earlier = await shop.registrations.issue_email_verification(user.id)
    later = await shop.registrations.issue_email_verification(user.id)
    assert earlier
    assert later

    for mail in (later, earlier):
        response = await client.post(f"{API}/auth/verify-email", json={"token": mail.token})
        assert response.status_code == 200
    assert await events(database) == ["customer.registered", "customer.verified"]


async def test_a_new_link_is_asked_for_without_learning_who_has_an_account(
    client: httpx.AsyncClient, database: Database
) -> None:
    await register(client)

    answers = [
        await client.post(f"{API}/auth/verify-email/resend", json={"email": email})
        for email in ("ada@example.com", "nobody@example.com")
    ]
    await change(database, User, email_verified_at=func.now())
    answers.append(await client.post(f"{API}/auth/verify-email/resend", json={"email": "ada@example.com"}))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert await events(database) == ["customer.registered", "customer.verification_requested"]
