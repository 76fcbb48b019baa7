"""Mails that follow from events: the right one, to the right address, once."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from app.core.clock import now
from app.database import Database
from app.dev.embedded.processes import free_port
from app.gateways.mail import MailNotSent, SmtpMailer
from app.models.platform import EmailLog
from app.models.products import Product
from app.models.users import User, UserStatus
from app.services.mail import MailBusy
from app.shop import Shop
from tests.support.accounts import all_of, change
from tests.support.sandbox import RunningSandbox
from tests.support.shopping import add_delivery, add_product, check_out, guest_cart


@pytest.fixture
def address() -> str:
    """One that no other test writes to: they share the mailbox."""
    return f"{uuid4().hex}@example.com"


@pytest.fixture
async def order(client: httpx.AsyncClient, database: Database, address: str) -> dict[str, Any]:
    await add_delivery(database)
    mug = await add_product(database, price=1999)
    await change(database, Product, name="Mug <b>& saucer</b>")
    placed = await check_out(client, await guest_cart(client, (mug, 2)), email=address)
    order: dict[str, Any] = placed.json()
    return order


async def log_of(database: Database) -> list[EmailLog]:
    return await all_of(database, select(EmailLog))


async def test_an_order_is_confirmed_with_what_was_bought(
    shop: Shop, sandbox: RunningSandbox, order: dict[str, Any], address: str
) -> None:
    await shop.mail.confirm_order(uuid4(), UUID(order["id"]))

    (mail,) = await sandbox.mails_to(address)
    assert mail["subject"] == f"Order {order['number']} is confirmed"
    assert mail["from"] == shop.settings.mail_from
    assert "2 x Mug <b>& saucer</b>: 39.98 EUR" in mail["text"]
    assert "Total: 44.88 EUR" in mail["text"]
    assert "Mug &lt;b&gt;&amp; saucer&lt;/b&gt;" in mail["html"]
    assert "<b>& saucer" not in mail["html"]


async def test_an_event_that_comes_again_sends_nothing(
    shop: Shop, sandbox: RunningSandbox, order: dict[str, Any], address: str
) -> None:
    event_id = uuid4()
    for _ in range(2):
        await shop.mail.confirm_order(event_id, UUID(order["id"]))

    assert len(await sandbox.mails_to(address)) == 1
    (log,) = await log_of(shop.database)
    assert log.key == str(event_id)
    assert log.sent_at is not None


async def test_a_mail_that_somebody_is_sending_is_left_to_them_for_a_while(
    shop: Shop, sandbox: RunningSandbox, order: dict[str, Any], address: str
) -> None:
    event_id, lease = uuid4(), timedelta(seconds=shop.settings.task_time_limit)
    async with shop.database.transaction() as tx:
        assert await tx.emails.claim(str(event_id), "order_confirmation", lease)

    with pytest.raises(MailBusy):
        await shop.mail.confirm_order(event_id, UUID(order["id"]))
    assert await sandbox.mails_to(address) == []

    await change(shop.database, EmailLog, claimed_at=now() - 2 * lease)  # they must have died
    await shop.mail.confirm_order(event_id, UUID(order["id"]))
    assert len(await sandbox.mails_to(address)) == 1


async def test_a_mail_that_the_server_refused_is_sent_at_the_next_attempt(
    shop: Shop, sandbox: RunningSandbox, order: dict[str, Any], address: str
) -> None:
    event_id = uuid4()
    await sandbox.inject("smtp", "error", 1)

    with pytest.raises(MailNotSent):
        await shop.mail.confirm_order(event_id, UUID(order["id"]))
    assert await sandbox.mails_to(address) == []

    await shop.mail.confirm_order(event_id, UUID(order["id"]))
    assert len(await sandbox.mails_to(address)) == 1


async def test_a_server_that_is_away_is_a_mail_not_sent(shop: Shop, order: dict[str, Any]) -> None:
    nobody = SecretStr(f"smtp://127.0.0.1:{free_port()}")
    shop.mail._mailer = SmtpMailer(shop.settings.model_copy(update={"smtp_url": nobody}))

    with pytest.raises(MailNotSent):
        await shop.mail.confirm_order(uuid4(), UUID(order["id"]))

    (log,) = await log_of(shop.database)
    assert log.sent_at is None


async def test_copies_of_a_mail_would_carry_one_message_id(shop: Shop) -> None:
    event_id = uuid4()
    user = User(email="ada@example.com", full_name="Ada")

    copies = [
        shop.mail._compose(event_id, "account_exists", user.email, "You already have an account", {"user": user})
        for _ in range(2)
    ]

    assert {copy["Message-ID"] for copy in copies} == {f"<{event_id}@example.com>"}


@pytest.fixture
async def person(database: Database, address: str) -> User:
    user = User(email=address, password_hash="none", full_name="Ada <i>Lovelace</i>")
    async with database.transaction() as tx:
        await tx.users.add(user)
    return user


async def test_a_new_account_gets_a_link(shop: Shop, sandbox: RunningSandbox, person: User) -> None:
    await shop.account_mail.confirm_address(uuid4(), person.id)

    (mail,) = await sandbox.mails_to(person.email)
    assert mail["subject"] == "Confirm your e-mail address"
    assert shop.settings.public_url in mail["text"]
    assert "<i>" not in mail["html"]


async def test_a_confirmed_address_gets_none(shop: Shop, sandbox: RunningSandbox, person: User) -> None:
    await change(shop.database, User, email_verified_at=now())

    await shop.account_mail.confirm_address(uuid4(), person.id)

    assert await sandbox.mails_to(person.email) == []
    (log,) = await log_of(shop.database)
    assert log.sent_at is not None


@pytest.mark.parametrize(("status", "mails"), [(UserStatus.ACTIVE, 1), (UserStatus.DISABLED, 0)])
async def test_who_registers_again_is_reminded_unless_disabled(
    shop: Shop, sandbox: RunningSandbox, person: User, status: UserStatus, mails: int
) -> None:
    await change(shop.database, User, status=status)

    await shop.account_mail.remind_of_account(uuid4(), person.id)

    assert len(await sandbox.mails_to(person.email)) == mails
