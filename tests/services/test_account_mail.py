"""Mails about somebody's account, from what they do to what arrives."""

import re
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func

from app.core.clock import now
from app.core.totp import STEP, code_at
from app.database import Database
from app.models.users import User
from app.shop import Shop
from tests.support.accounts import ADA, API, bearer, change, register, sign_in
from tests.support.outbox import deliver
from tests.support.sandbox import RunningSandbox

LINK = re.compile(r"(http://\S+)\?token=([\w-]{43})\s")


@pytest.fixture
def address() -> str:
    """One that no other test writes to: they share the mailbox."""
    return f"{uuid4().hex}@example.com"


@pytest.fixture
async def headers(client: httpx.AsyncClient, database: Database, shop: Shop, address: str) -> dict[str, str]:
    """Of somebody who is signed in, and whose mails were delivered."""
    await register(client, email=address, full_name="Ada <i>Lovelace</i>")
    await change(database, User, email_verified_at=func.now())
    await deliver(shop)
    return bearer((await sign_in(client, username=address)).json()["access_token"])


async def newest(sandbox: RunningSandbox, address: str, subject: str) -> str:
    """The text of the newest mail, which must have this subject, and a harmless twin in HTML."""
    mail = (await sandbox.mails_to(address))[0]
    assert mail["subject"] == subject
    assert "<i>" not in mail["html"]
    text: str = mail["text"]
    return text


async def test_a_forgotten_password(
    client: httpx.AsyncClient, shop: Shop, sandbox: RunningSandbox, headers: dict[str, str], address: str
) -> None:
    await client.post(f"{API}/auth/password/forgot", json={"email": address})
    await deliver(shop)

    found = LINK.search(await newest(sandbox, address, "Set a new password"))
    assert found
    assert found[1] == f"{shop.settings.public_url}/reset-password"
    body = {"token": found[2], "new_password": "another long passphrase"}
    assert (await client.post(f"{API}/auth/password/reset", json=body)).status_code == 200
    await deliver(shop)
    assert "was changed" in await newest(sandbox, address, "Your password was changed")


async def test_a_second_factor(
    client: httpx.AsyncClient, shop: Shop, sandbox: RunningSandbox, headers: dict[str, str], address: str
) -> None:
    path = f"{API}/auth/second-factor"
    begun = await client.post(path, json={"password": ADA["password"]}, headers=headers)
    code = code_at(int(now().timestamp()) // STEP, begun.json()["secret"])
    codes = (await client.post(f"{path}/confirm", json={"code": code}, headers=headers)).json()["recovery_codes"]
    await deliver(shop)
    await newest(sandbox, address, "Your second factor is on")

    assert (await sign_in(client, username=address, otp=codes[0])).status_code == 200
    await deliver(shop)
    text = await newest(sandbox, address, "A recovery code was used")
    assert codes[0] not in text

    proof = {"password": ADA["password"], "code": codes[1]}
    assert (await client.post(f"{path}/disable", json=proof, headers=headers)).status_code == 204
    await deliver(shop)
    assert {mail["subject"] for mail in await sandbox.mails_to(address)} >= {"Your second factor is off"}


async def test_another_address(
    client: httpx.AsyncClient, shop: Shop, sandbox: RunningSandbox, headers: dict[str, str], address: str
) -> None:
    other = f"new-{address}"
    body = {"new_email": other, "password": ADA["password"]}
    assert (await client.post(f"{API}/users/me/email", json=body, headers=headers)).status_code == 202
    await deliver(shop)

    assert LINK.search(await newest(sandbox, address, "Your e-mail address is to be changed")) is None
    found = LINK.search(await newest(sandbox, other, "Confirm your new e-mail address"))
    assert found
    assert found[1] == f"{shop.settings.public_url}/verify-email"
    assert (await client.post(f"{API}/auth/verify-email", json={"token": found[2]})).status_code == 200
    await deliver(shop)
    assert "another e-mail address now" in await newest(sandbox, address, "Your e-mail address was changed")
    assert len(await sandbox.mails_to(other)) == 1


async def test_an_address_that_is_taken_gets_no_link(
    client: httpx.AsyncClient, shop: Shop, sandbox: RunningSandbox, headers: dict[str, str], address: str
) -> None:
    other = f"grace-{address}"
    await register(client, email=other, full_name="Grace Hopper")
    await deliver(shop)
    body = {"new_email": other, "password": ADA["password"]}
    await client.post(f"{API}/users/me/email", json=body, headers=headers)
    await deliver(shop)

    text = await newest(sandbox, other, "Somebody asked for your e-mail address")
    assert LINK.search(text) is None
    assert "Hello Grace Hopper" in text
    assert address not in text
