"""Links, codes and guesses that are used many times at once, with real commits."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.core.clock import now
from app.core.totp import STEP, code_at
from app.errors import AccountLocked
from app.models.credentials import EmailChange, GuessBudget, RecoveryCode
from app.models.users import User, UserSession
from app.schemas.auth import UserCreate
from app.services.auth import SignIn, TokenPair
from app.services.devices import Device
from app.services.guess_limits import PASSWORDS_OF_STRANGERS, GuessLimits
from app.services.principals import Principal
from app.services.registrations import LinkMail
from app.shop import Shop
from tests.services.test_auth_concurrency import (
    ADA,
    DEVICE,
    EMAIL,
    PASSWORD,
    all_of,
    events,
    open_connections,
    outcomes,
)

NEW = "another long passphrase"


@pytest.fixture
async def ada(fresh_shop: Shop) -> User:
    """A registered account whose address is confirmed."""
    await fresh_shop.registrations.register(ADA)
    async with fresh_shop.database.transaction() as tx:
        user = await tx.users.living(EMAIL)
        assert user
        await tx.users.confirm_email(user.id)
    return user


async def sign_in(shop: Shop, otp: str | None = None) -> TokenPair:
    return (await shop.auth.sign_in(SignIn(EMAIL, PASSWORD, otp), DEVICE)).tokens


async def principal(shop: Shop, pair: TokenPair) -> Principal:
    caller = await shop.identification.caller(pair.access_token)
    assert isinstance(caller, Principal)
    return caller


async def test_of_ten_uses_of_a_reset_link_one_sets_the_password(fresh_shop: Shop, ada: User) -> None:
    mail = await fresh_shop.credentials.issue_reset(ada.id)
    assert mail
    passwords = [f"{NEW} {number}" for number in range(10)]

    ended = await outcomes(*(fresh_shop.credentials.reset(mail.token, each, DEVICE) for each in passwords))

    assert ended == {"done": 1, "token_expired": 9}
    assert (await events(fresh_shop))["customer.password_changed"] == 1


async def test_of_links_that_are_made_at_once_one_works(fresh_shop: Shop, ada: User) -> None:
    mails = await asyncio.gather(*(fresh_shop.credentials.issue_reset(ada.id) for _ in range(8)))

    await open_connections(fresh_shop, 8)
    tokens = [mail.token for mail in mails if mail]
    ended = await outcomes(*(fresh_shop.credentials.reset(token, NEW, DEVICE) for token in tokens))

    assert ended == {"done": 1, "token_expired": 7}


async def test_no_sign_in_with_the_old_password_outlives_a_reset(fresh_shop: Shop, ada: User) -> None:
    mail = await fresh_shop.credentials.issue_reset(ada.id)
    assert mail

    _, *signed_in = await asyncio.gather(
        fresh_shop.credentials.reset(mail.token, NEW, DEVICE),
        *(sign_in(fresh_shop) for _ in range(8)),
        return_exceptions=True,
    )

    for pair in signed_in:
        if isinstance(pair, TokenPair):
            assert await outcomes(principal(fresh_shop, pair)) == {"invalid_token": 1}
    alive = select(func.count()).where(UserSession.revoked_at.is_(None))
    assert await all_of(fresh_shop, alive) == [0]


async def test_of_two_changes_of_a_password_one_counts(fresh_shop: Shop, ada: User) -> None:
    me = await principal(fresh_shop, await sign_in(fresh_shop))

    ended = await outcomes(
        *(fresh_shop.credentials.change(me, PASSWORD, f"{NEW} {number}", DEVICE) for number in range(4))
    )

    assert ended == {"done": 1, "wrong_password": 3}


async def test_an_address_goes_to_one_of_those_who_confirm_it(fresh_shop: Shop, ada: User) -> None:
    grace = UserCreate(email="grace@example.com", password=PASSWORD, full_name="Grace Hopper")
    await fresh_shop.registrations.register(grace)
    async with fresh_shop.database.transaction() as tx:
        other = await tx.users.living("grace@example.com")
        assert other
        await tx.users.confirm_email(other.id)
    hers = await fresh_shop.auth.sign_in(SignIn("grace@example.com", PASSWORD), DEVICE)
    tokens = []
    for pair in (await sign_in(fresh_shop), hers.tokens):
        await fresh_shop.email_changes.request(await principal(fresh_shop, pair), "new@example.com", PASSWORD)
    for change_id in await all_of(fresh_shop, select(EmailChange.id)):
        mail = await fresh_shop.email_changes.issue_confirmation(change_id)
        assert isinstance(mail, LinkMail)
        tokens.append(mail.token)

    ended = await outcomes(*(fresh_shop.registrations.verify_email(token) for token in tokens * 3))

    assert ended["done"] == 1
    assert sum(ended.values()) == 6
    assert ended.keys() <= {"done", "email_taken", "token_expired"}
    owners = select(func.count()).select_from(User).where(User.email == "new@example.com")
    assert await all_of(fresh_shop, owners) == [1]


async def second_factor(shop: Shop) -> tuple[str, list[str]]:
    """The secret of a confirmed second factor, and its recovery codes."""
    me = await principal(shop, await sign_in(shop))
    secret = (await shop.second_factors.enrol(me, PASSWORD)).secret
    code = code_at(int(now().timestamp()) // STEP - 1, secret)
    return secret, await shop.second_factors.confirm(me, code)


async def test_of_five_uses_of_a_code_one_signs_in(fresh_shop: Shop, ada: User) -> None:
    secret, _ = await second_factor(fresh_shop)
    code = code_at(int(now().timestamp()) // STEP + 1, secret)

    ended = await outcomes(*(sign_in(fresh_shop, code) for _ in range(5)))

    assert ended == {"done": 1, "invalid_second_factor": 4}


async def test_of_five_uses_of_a_recovery_code_one_signs_in(fresh_shop: Shop, ada: User) -> None:
    _, codes = await second_factor(fresh_shop)

    ended = await outcomes(*(sign_in(fresh_shop, codes[0]) for _ in range(5)))

    assert ended == {"done": 1, "invalid_second_factor": 4}
    assert await all_of(fresh_shop, select(func.count()).select_from(RecoveryCode)) == [9]


async def test_of_two_confirmations_one_counts(fresh_shop: Shop, ada: User) -> None:
    me = await principal(fresh_shop, await sign_in(fresh_shop))
    secret = (await fresh_shop.second_factors.enrol(me, PASSWORD)).secret
    code = code_at(int(now().timestamp()) // STEP, secret)

    ended = await outcomes(*(fresh_shop.second_factors.confirm(me, code) for _ in range(4)))

    assert ended["done"] == 1
    assert ended.keys() <= {"done", "wrong_code", "second_factor_enabled"}
    assert await all_of(fresh_shop, select(func.count()).select_from(RecoveryCode)) == [10]


async def test_a_crowd_of_strangers_gets_what_all_of_them_may(fresh_shop: Shop) -> None:
    """A hundred addresses at once, and then every minute for an hour: at most 80 answers."""
    limits = GuessLimits(fresh_shop.database, fresh_shop.settings)

    async def guess(number: int) -> None:
        device = Device(network=f"198.51.100.{number}")
        await limits.count(limits.of_passwords(EMAIL, device, known=()))

    async def crowd() -> Counter[str]:
        return await outcomes(*(guess(number) for number in range(100)))

    answered = PASSWORDS_OF_STRANGERS.at_once
    assert await crowd() == {"done": answered, "account_locked": 100 - answered}
    for _ in range(60):
        await let_pass(fresh_shop, timedelta(minutes=1))
        answered += (await outcomes(*(guess(number) for number in range(100, 105))))["done"]
    assert answered == 80


async def test_a_refused_guess_takes_nothing(fresh_shop: Shop) -> None:
    limits = GuessLimits(fresh_shop.database, fresh_shop.settings)
    here = limits.of_passwords(EMAIL, Device(network="192.0.2.1"), known=())
    for number in range(PASSWORDS_OF_STRANGERS.at_once):
        await limits.count(limits.of_passwords(EMAIL, Device(network=f"198.51.100.{number}"), known=()))

    with pytest.raises(AccountLocked):
        await limits.count(here)

    async with fresh_shop.database.snapshot() as tx:
        assert here[0].name not in await tx.guesses.taken([limit.name for limit in here])


async def let_pass(shop: Shop, time: timedelta) -> None:
    async with shop.database.transaction() as tx:
        await tx.session.execute(
            update(GuessBudget)
            .values(restored_at=GuessBudget.restored_at - time)
            .execution_options(synchronize_session=False)
        )
