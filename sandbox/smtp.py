"""An SMTP server that accepts everything and delivers it to the mailbox, never any further."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import uuid4

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from sandbox.faults import Faults, Mode, Target
from sandbox.mailbox import Mailbox, Message

MAX_MAIL_BYTES = 5 * 1024 * 1024
HANG_SECONDS = 600.0

logger = logging.getLogger("sandbox.smtp")


class MailHandler:
    """aiosmtpd's hooks: what the server does with a mail."""

    def __init__(self, mailbox: Mailbox, faults: Faults) -> None:
        self._mailbox = mailbox
        self._faults = faults

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        fault = self._faults.take(Target.SMTP)
        mode = fault.mode if fault is not None else None
        if mode is Mode.ERROR:
            return "451 4.3.0 Temporary failure, as injected"
        if fault is not None and mode is Mode.DELAY:
            await asyncio.sleep(fault.delay_ms / 1000)
        if mode is not Mode.DROP:
            self._mailbox.put(read_message(envelope))
            logger.info("mail for %s", ", ".join(envelope.rcpt_tos))
        if fault is not None and mode is Mode.TIMEOUT:
            # aiosmtpd cancels this when the client hangs up.
            await asyncio.sleep(fault.delay_ms / 1000 or HANG_SECONDS)
            return "421 4.4.2 Timed out, as injected"
        return "250 2.0.0 OK"


def read_message(envelope: Envelope) -> Message:
    """Decode a mail for reading; attachments are left out."""
    raw = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
    mail = message_from_bytes(raw, policy=policy.default)
    return Message(
        id=uuid4().hex,
        to=", ".join(envelope.rcpt_tos),
        sender=str(mail.get("From") or envelope.mail_from or ""),
        subject=str(mail.get("Subject", "")),
        text=_body(mail, "plain"),
        html=_body(mail, "html"),
        received_at=datetime.now(UTC),
    )


def _body(mail: EmailMessage, subtype: str) -> str | None:
    part = mail.get_body(preferencelist=(subtype,))
    if part is None:
        return None
    content = part.get_payload(decode=True)
    encoded = content if isinstance(content, bytes) else b""
    try:
        text = encoded.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:  # a charset that Python does not know
        text = encoded.decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n")


@asynccontextmanager
async def smtp_server(host: str, port: int, handler: MailHandler) -> AsyncIterator[None]:
    """Listen while the block runs. Any user name and password will do, with or without."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            handler,
            hostname="sandbox",
            loop=loop,
            data_size_limit=MAX_MAIL_BYTES,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=True),
        ),
        host,
        port,
    )
    try:
        yield
    finally:
        # Not `wait_closed()`: from Python 3.12 on it waits for clients that merely keep a connection open.
        server.close()
