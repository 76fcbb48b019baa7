"""Mails, sent with the library that the shop uses and read back over HTTP."""

from datetime import datetime
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import httpx
import pytest

from sandbox.mailbox import Mailbox, Message
from tests.sandbox.surroundings import Running


def mail(to: str, subject: str = "Your order") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Emporium <shop@example.com>", to, subject
    message.set_content("Grüße, here is your order.\nhttps://shop.example/orders/1\n")
    message.add_alternative("<p>Grüße, here is your <b>order</b>.</p>", subtype="html")
    return message


async def send(sandbox: Running, message: EmailMessage, **options: Any) -> None:
    await aiosmtplib.send(message, hostname="127.0.0.1", port=sandbox.smtp_port, start_tls=False, **options)


async def test_a_mail_can_be_read(sandbox: Running, web: httpx.AsyncClient) -> None:
    await send(sandbox, mail("ada@example.com", "Your order: 19,99 €"), username="any", password="any")

    response = await web.get("/mailbox/messages", params={"to": "Ada@example.com"})

    [message] = response.json()["data"]
    assert set(message) == {"id", "to", "from", "subject", "text", "html", "received_at"}
    assert message["to"] == "ada@example.com"
    assert message["from"] == "Emporium <shop@example.com>"
    assert message["subject"] == "Your order: 19,99 €"
    assert message["text"] == "Grüße, here is your order.\nhttps://shop.example/orders/1\n"
    assert message["html"].strip() == "<p>Grüße, here is your <b>order</b>.</p>"
    assert datetime.fromisoformat(message["received_at"]).tzinfo is not None


async def test_the_newest_comes_first_and_others_mail_stays_out(sandbox: Running, web: httpx.AsyncClient) -> None:
    for to, subject in (("ada@example.com", "one"), ("bob@example.com", "two"), ("ada@example.com", "three")):
        await send(sandbox, mail(to, subject))

    everything = (await web.get("/mailbox/messages")).json()["data"]
    hers = (await web.get("/mailbox/messages", params={"to": "ada@example.com"})).json()["data"]
    nobodys = (await web.get("/mailbox/messages", params={"to": "a@example.com"})).json()["data"]

    assert [message["subject"] for message in everything] == ["three", "two", "one"]
    assert [message["subject"] for message in hers] == ["three", "one"]
    assert nobodys == []
    assert (await web.delete("/mailbox/messages")).status_code == 204
    assert (await web.get("/mailbox/messages")).json() == {"data": []}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no headers at all",
        b"Content-Type: text/plain; charset=klingon\r\n\r\nnuq\xffneH",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nbroken",
        b"Subject: =?utf-8?b?!!!?=\r\nFrom: <<>>\r\n\r\n\x00",
    ],
)
async def test_the_strangest_mail_arrives(sandbox: Running, web: httpx.AsyncClient, raw: bytes) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=sandbox.smtp_port, start_tls=False) as smtp:
        await smtp.sendmail("shop@example.com", ["ada@example.com"], raw)

    assert len((await web.get("/mailbox/messages")).json()["data"]) == 1


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        ({"mode": "error"}, False),
        ({"mode": "drop"}, False),
        ({"mode": "timeout"}, True),
        ({"mode": "delay", "delay_ms": 50}, True),
    ],
)
async def test_the_server_fails_on_demand_and_recovers(
    sandbox: Running, web: httpx.AsyncClient, fault: dict[str, Any], arrives: bool
) -> None:
    await web.post("/faults", json={"target": "smtp", **fault})
    refused: str | None = None

    try:
        await send(sandbox, mail("ada@example.com", "first"), timeout=0.5)
    except aiosmtplib.SMTPException as error:
        refused = type(error).__name__
    await send(sandbox, mail("ada@example.com", "second"))

    assert refused == {"error": "SMTPDataError", "timeout": "SMTPReadTimeoutError"}.get(fault["mode"])
    subjects = [message["subject"] for message in (await web.get("/mailbox/messages")).json()["data"]]
    assert subjects == (["second", "first"] if arrives else ["second"])


async def test_a_mail_beyond_reason_is_refused(sandbox: Running, web: httpx.AsyncClient) -> None:
    huge = mail("ada@example.com")
    huge.add_attachment(b"x" * 5_000_000, maintype="application", subtype="octet-stream")

    with pytest.raises(aiosmtplib.SMTPResponseException) as error:
        await send(sandbox, huge)

    assert error.value.code == 552
    assert (await web.get("/mailbox/messages")).json() == {"data": []}


def test_old_mails_make_room_by_number_and_by_size() -> None:
    def message(subject: str, text: str = "") -> Message:
        received_at = datetime.fromisoformat("2026-01-01T00:00:00Z")
        return Message(
            id=subject, to="a@b.c", sender="", subject=subject, text=text, html=None, received_at=received_at
        )

    mailbox = Mailbox(max_messages=3, max_characters=1_000)
    for number in range(5):
        mailbox.put(message(str(number)))
    assert [kept.subject for kept in mailbox.messages(None, 10)] == ["4", "3", "2"]

    mailbox.put(message("large", "x" * 990))
    assert [kept.subject for kept in mailbox.messages(None, 10)] == ["large"]


@pytest.mark.parametrize("limit", ["0", "501", "many"])
async def test_a_bad_limit_is_refused(web: httpx.AsyncClient, limit: str) -> None:
    assert (await web.get("/mailbox/messages", params={"limit": limit})).status_code == 422
