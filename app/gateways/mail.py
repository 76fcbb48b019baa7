"""Mail out, over SMTP."""

from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.settings import Settings

TIMEOUT = 10  # seconds
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailNotSent(Exception):
    """The server did not take the mail; it may later."""


class SmtpMailer:
    """Sends through `SMTP_URL`: `smtp://`, `smtp+starttls://` or `smtps://`, with an account when it names one."""

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.smtp_url.get_secret_value())
        self._options: dict[str, Any] = {
            "hostname": url.hostname,
            "port": url.port or _PORTS[url.scheme],
            "username": unquote(url.username) if url.username else None,
            "password": unquote(url.password) if url.password else None,
            "use_tls": url.scheme == "smtps",
            "start_tls": url.scheme == "smtp+starttls",
            "timeout": TIMEOUT,
        }

    async def send(self, message: EmailMessage) -> None:
        try:
            await aiosmtplib.send(message, **self._options)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailNotSent(type(error).__name__) from error
