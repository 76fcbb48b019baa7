"""What must hold when the same thing is asked many times at once, with real commits."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.errors import ShopError
from app.models.platform import OutboxEvent
from app.models.users import User, UserSession
from app.schemas.auth import UserCreate
from app.schemas.users import UserUpdate
from app.services.auth import SignIn, TokenPair
from app.services.devices import Device
from app.services.guess_limits import MAILS, PASSWORDS
from app.services.principals import Principal
from app.shop import Shop

EMAIL, PASSWORD = "ada@example.com", "a long enough passphrase"
ADA = UserCreate(email=EMAIL, password=PASSWORD, full_name="Ada Lovelace")
DEVICE = Device()


async def outcomes(*calls: Awaitable[Any]) -> Counter[str]:
    """How the calls ended: the code of each refusal, `done` for the rest."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, ShopError):
            raise result
    return Counter(result.code if isinstance(result, ShopError) else "done" for result in results)


async def open_connections(shop: Shop, count: int) -> None:
    """So many at least: what follows begins at the same time, and is not put in a row by connecting."""
    all_there = asyncio.Barrier(count)

    async def hold() -> None:
        async with shop.database.transaction() as tx:
            await tx.session.execute(select(1))
            await all_there.wait()

    await asyncio.gather(*(hold() for _ in range(count)))


async def all_of(shop: Shop, statement: Any) -> list[Any]:
    async with shop.database.snapshot() as tx:
        return list((await tx.session.execute(statement)).scalars())


async def events(shop: Shop) -> Counter[str]:
    return Counter(await all_of(shop, select(OutboxEvent.type)))


async def age_rotations(shop: Shop, by: timedelta) -> None:
    async with shop.database.transaction() as tx:
        await tx.session.execute(
            update(UserSession)
            .values(replaced_at=UserSession.replaced_at - by)
            .execution_options(synchronize_session=False)
        )


@pytest.fixture
async def ada(fresh_shop: Shop) -> User:
    """A registered account whose address is confirmed."""
    await fresh_shop.registrations.register(ADA)
    async with fresh_shop.database.transaction() as tx:
        user = await tx.users.living(EMAIL)
        assert user
        await tx.users.confirm_email(user.id)
    return user


@pytest.fixture
async def pair(fresh_shop: Shop, ada: User) -> TokenPair:
    return (await fresh_shop.auth.sign_in(SignIn(EMAIL, PASSWORD), DEVICE)).tokens


async def holder(shop: Shop, pair: TokenPair) -> Principal:
    caller = await shop.identification.caller(pair.access_token)
    assert isinstance(caller, Principal)
    return caller


async def test_of_twenty_registrations_of_an_address_one_creates_the_account(fresh_shop: Shop) -> None:
    assert await outcomes(*(fresh_shop.registrations.register(ADA) for _ in range(20))) == {"done": 20}

    assert await all_of(fresh_shop, select(User.email)) == [EMAIL]
    reminders = MAILS.at_once - 1  # registering counts as well, and whoever asks too often is not written to
    assert await events(fresh_shop) == {"customer.registered": 1, "customer.verification_requested": reminders}


async def test_of_ten_uses_of_a_link_one_confirms(fresh_shop: Shop) -> None:
    await fresh_shop.registrations.register(ADA)
    (user_id,) = await all_of(fresh_shop, select(User.id))
    mail = await fresh_shop.registrations.issue_email_verification(user_id)
    assert mail
    await open_connections(fresh_shop, 10)

    ended = await outcomes(*(fresh_shop.registrations.verify_email(mail.token) for _ in range(10)))

    assert ended == {"done": 1, "token_expired": 9}
    assert (await events(fresh_shop))["customer.verified"] == 1


async def test_ten_refreshes_with_one_token_leave_the_family_alive(fresh_shop: Shop, pair: TokenPair) -> None:
    pairs = await asyncio.gather(*(fresh_shop.auth.refresh(pair.refresh_token, DEVICE) for _ in range(10)))

    assert len({each.refresh_token for each in pairs}) == 10
    assert len(await all_of(fresh_shop, select(UserSession.id).where(UserSession.replaced_at.is_(None)))) == 10
    for each in pairs:
        await holder(fresh_shop, each)
    assert await outcomes(*(fresh_shop.auth.refresh(each.refresh_token, DEVICE) for each in pairs)) == {"done": 10}


async def test_a_stolen_token_ends_the_family_while_its_owner_refreshes(fresh_shop: Shop, pair: TokenPair) -> None:
    newest = await fresh_shop.auth.refresh(pair.refresh_token, DEVICE)
    await age_rotations(fresh_shop, timedelta(seconds=11))

    stolen, owner = await asyncio.gather(
        outcomes(*(fresh_shop.auth.refresh(pair.refresh_token, DEVICE) for _ in range(5))),
        asyncio.gather(
            *(fresh_shop.auth.refresh(newest.refresh_token, DEVICE) for _ in range(5)), return_exceptions=True
        ),
    )

    assert stolen == {"token_reused": 5}
    survivors = [each for each in owner if isinstance(each, TokenPair)]
    for each in (newest, *survivors):
        assert await outcomes(holder(fresh_shop, each)) == {"invalid_token": 1}
        assert "done" not in await outcomes(fresh_shop.auth.refresh(each.refresh_token, DEVICE))


async def test_a_refresh_at_the_moment_of_signing_out_outlives_it_in_no_case(fresh_shop: Shop, pair: TokenPair) -> None:
    for _ in range(10):
        current = (await fresh_shop.auth.sign_in(SignIn(EMAIL, PASSWORD), DEVICE)).tokens
        refreshed, _ = await asyncio.gather(
            fresh_shop.auth.refresh(current.refresh_token, DEVICE),
            fresh_shop.auth.sign_out(await holder(fresh_shop, current)),
            return_exceptions=True,
        )
        if isinstance(refreshed, TokenPair):
            assert await outcomes(holder(fresh_shop, refreshed)) == {"invalid_token": 1}
            assert await outcomes(fresh_shop.auth.refresh(refreshed.refresh_token, DEVICE)) == {"invalid_token": 1}

    await holder(fresh_shop, pair)  # the session that was not signed out


async def test_guesses_at_the_same_time_get_no_more_answers_than_allowed(fresh_shop: Shop, ada: User) -> None:
    guesses = await outcomes(*(fresh_shop.auth.sign_in(SignIn(EMAIL, f"guess {n}"), DEVICE) for n in range(25)))

    assert guesses == {"invalid_credentials": PASSWORDS.at_once, "account_locked": 25 - PASSWORDS.at_once}
    assert await all_of(fresh_shop, select(func.count()).select_from(UserSession)) == [0]


async def test_edits_of_the_same_version_do_not_overwrite_each_other(fresh_shop: Shop, ada: User) -> None:
    edits = await outcomes(
        *(
            fresh_shop.users.update(ada.id, frozenset({ada.version}), UserUpdate(full_name=f"Ada {n}"))
            for n in range(10)
        )
    )

    assert edits == {"done": 1, "precondition_failed": 9}
    assert await all_of(fresh_shop, select(User.version)) == [2]
