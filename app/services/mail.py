"""Mails that follow from events, each sent once as far as SMTP allows.

SMTP has no transactions: a process that dies between the server's "250 OK" and our note of it will send again. To
keep that window small the claim on the mail is committed before, the note right after; and both copies would carry
one Message-ID, by which mail readers recognise them. A process that lives remembers what it could not note.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app.core.logging import get_logger
from app.database import Database
from app.gateways.mail import MailNotSent, SmtpMailer
from app.models.orders import Order
from app.models.users import Role
from app.settings import Settings

logger = get_logger(__name__)


class MailBusy(Exception):
    """Another worker is sending this mail, or died while it was: look again later."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be written. `template` is for one that turns out to be another than it was to be."""

    to: str
    subject: str
    context: dict[str, Any]
    template: str | None = None


class MailService:
    def __init__(self, database: Database, mailer: SmtpMailer, settings: Settings) -> None:
        self._database = database
        self._mailer = mailer
        self._sender = settings.mail_from
        self._public_url = settings.public_url.rstrip("/")
        self._lease = timedelta(seconds=settings.task_time_limit)
        self._to_be_noted: set[UUID] = set()
        self._templates = Environment(
            loader=PackageLoader("app", "templates/mail"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
        )
        self._templates.filters["money"] = _money

    async def confirm_order(self, event_id: UUID, order_id: UUID) -> None:
        """Mail the order confirmation."""
        if not await self._claim(event_id, "order_confirmation"):
            return
        order = await self._order(order_id)
        await self._send(event_id, "order_confirmation", order.email, f"Order {order.number} is confirmed", order=order)

    async def warn_of_low_stock(self, event_id: UUID, variant_id: UUID) -> None:
        """Tell the warehouse's staff, in one mail, that a variant is to be ordered again."""
        if not await self._claim(event_id, "stock_low"):
            return
        async with self._database.snapshot() as tx:
            level = (await tx.levels.of_variants([variant_id])).get(variant_id)
            staff = await tx.users.emails_of(Role.WAREHOUSE)
        if level is None or not level.low_stock or not staff:  # filled up or archived meanwhile: nobody need act
            await self._done(event_id)
            return
        await self._send(event_id, "stock_low", ", ".join(staff), f"{level.sku} is running low", level=level)

    async def deliver(self, event_id: UUID, template: str, write: Callable[[], Awaitable[Letter | None]]) -> None:
        """Send what `write` says, once; None says that nobody waits for this mail any more."""
        if not await self._claim(event_id, template):
            return
        letter = await write()
        if letter is None:
            await self._done(event_id)
            return
        await self._send(event_id, letter.template or template, letter.to, letter.subject, **letter.context)

    async def _order(self, order_id: UUID) -> Order:
        async with self._database.snapshot() as tx:
            order = await tx.orders.get(tx.orders.everyones(), order_id)
        if order is None:
            raise LookupError(f"order {order_id} does not exist")
        return order

    async def _claim(self, event_id: UUID, template: str) -> bool:
        """Whether to send this mail now: False once it is out, `MailBusy` while somebody else is at it."""
        async with self._database.transaction() as tx:
            if await tx.emails.claim(str(event_id), template, self._lease):
                return True
            if await tx.emails.is_sent(str(event_id)):
                return False
        raise MailBusy

    async def _send(self, event_id: UUID, template: str, to: str, subject: str, **context: Any) -> None:
        try:
            if event_id not in self._to_be_noted:
                await self._mailer.send(self._compose(event_id, template, to, subject, context))
        except MailNotSent:
            async with self._database.transaction() as tx:
                await tx.emails.let_go(str(event_id))
            raise
        self._to_be_noted.add(event_id)  # should the database be away just now, the next try only notes it
        await self._done(event_id)
        self._to_be_noted.remove(event_id)
        logger.info("mail sent", template=template, event_id=str(event_id))

    async def _done(self, event_id: UUID) -> None:
        async with self._database.transaction() as tx:
            await tx.emails.mark_sent(str(event_id))

    def _compose(self, event_id: UUID, template: str, to: str, subject: str, context: dict[str, Any]) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Message-ID"] = f"<{event_id}@{parseaddr(self._sender)[1].partition('@')[2]}>"
        context = {"public_url": self._public_url, "subject": subject, **context}
        message.set_content(self._templates.get_template(f"{template}.txt").render(context))
        message.add_alternative(self._templates.get_template(f"{template}.html").render(context), subtype="html")
        return message


def _money(amount: int, currency: str) -> str:
    return f"{amount / 100:,.2f} {currency}"
