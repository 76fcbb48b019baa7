"""A whole purchase at the most talkative level, and the logs of all processes read afterwards."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.core.clock import now
from app.core.totp import STEP, code_at
from app.routers.devices import COOKIE
from app.settings import Settings
from app.shop import Shop
from tests.support.accounts import bearer
from tests.support.processes import RELAY, WORKER, eventually, running, running_apis
from tests.support.sandbox import RunningSandbox
from tests.support.shopping import ADDRESS, API, add_product, check_out, guest_cart, pay

PASSWORD = "canary-password-7Fq2vJ0l"
HOME = ADDRESS | {"full_name": "Canary Lovelace", "line1": "Canary Road 1"}
CARD, DECLINED = "pm_card_visa", "pm_card_chargeDeclinedInsufficientFunds"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def url(settings: Settings, logs: Path) -> Iterator[str]:
    """An API process, with a relay and a worker behind it."""
    loud = settings.model_copy(update={"log_level": "DEBUG", "log_format": "json"})
    with running(RELAY, loud, logs), running(WORKER, loud, logs), running_apis(loud, logs, 1) as [url]:
        yield url


@pytest.fixture
async def api(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as api:
        yield api


def answered(status: int, response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    return body


def read(logs: Path) -> dict[str, str]:
    return {log.name: log.read_text() for log in logs.iterdir()}


async def test_what_only_its_owner_may_know_is_in_no_log(
    api: httpx.AsyncClient, logs: Path, settings: Settings, shop: Shop, sandbox: RunningSandbox
) -> None:
    email = f"canary.{uuid4().hex}@example.com"
    credentials = {"username": email, "password": PASSWORD}
    account = {"email": email, "password": PASSWORD, "full_name": HOME["full_name"]}

    async def mailed(pattern: str) -> str | None:
        mails = await sandbox.mails_to(email)
        return next((found[1] for mail in mails if (found := re.search(pattern, mail["text"]))), None)

    answered(422, await api.post(f"{API}/auth/register", json=account | {"role": PASSWORD}))
    answered(202, await api.post(f"{API}/auth/register", json=account))
    answered(401, await api.post(f"{API}/auth/token", data=credentials))
    confirmation = await eventually(lambda: mailed(r"token=([\w-]+)"))
    answered(200, await api.post(f"{API}/auth/verify-email", json={"token": confirmation}))

    cart = await guest_cart(api, (await add_product(shop.database), 1))
    first = answered(200, await api.post(f"{API}/auth/token", data=credentials, headers=cart))
    second = answered(200, await api.post(f"{API}/auth/refresh", json={"refresh_token": first["refresh_token"]}))
    customer = bearer(second["access_token"])
    order = answered(201, await check_out(api, customer, email=email, shipping_address=HOME))
    answered(402, await pay(api, order, customer, DECLINED))
    answered(201, await pay(api, order, customer, CARD))
    await eventually(lambda: mailed(f"({order['number']})"))

    guest = await guest_cart(api, (await add_product(shop.database), 1))
    guests = answered(201, await check_out(api, guest, email=email, shipping_address=HOME))

    secrets = {
        "password": PASSWORD,
        "address": email,
        "name": HOME["full_name"],
        "street": HOME["line1"],
        "good card": CARD,
        "declined card": DECLINED,
        "confirmation link": confirmation,
        "cart token": cart["X-Cart-Token"],
        "order token": guests["order_token"],
        "client secret": order["payment"]["client_secret"],
        "first access token": first["access_token"],
        "first refresh token": first["refresh_token"],
        "second access token": second["access_token"],
        "second refresh token": second["refresh_token"],
        "signing key": settings.secret_key.get_secret_value(),
        "provider's key": settings.stripe_api_key.get_secret_value(),
    }
    said = read(logs)
    assert len(said) == 3
    assert all(
        event in "".join(said.values()) for event in ('"path": "/api/v1/auth/token"', "relay started", "mail sent")
    )
    assert [(log, name) for log, text in said.items() for name, secret in secrets.items() if secret in text] == []


async def test_nor_are_the_secrets_of_an_account(api: httpx.AsyncClient, logs: Path, sandbox: RunningSandbox) -> None:
    email, other = (f"canary.{uuid4().hex}@example.com" for _ in range(2))
    new_password = "canary-password-x3mWc8Rk"

    async def mailed(address: str, pattern: str) -> str | None:
        mails = await sandbox.mails_to(address)
        return next((found[1] for mail in mails if (found := re.search(pattern, mail["text"]))), None)

    account = {"email": email, "password": PASSWORD, "full_name": "Canary Lovelace"}
    answered(202, await api.post(f"{API}/auth/register", json=account))
    await eventually(lambda: mailed(email, r"verify-email\?token=([\w-]+)"))
    answered(202, await api.post(f"{API}/auth/password/forgot", json={"email": email}))
    link = await eventually(lambda: mailed(email, r"reset-password\?token=([\w-]+)"))
    assert (await api.get("/reset-password", params={"token": link})).status_code == 200
    answered(200, await api.post(f"{API}/auth/password/reset", json={"token": link, "new_password": new_password}))
    signed_in = await api.post(f"{API}/auth/token", data={"username": email, "password": new_password})
    headers = bearer(answered(200, signed_in)["access_token"])

    factor = f"{API}/auth/second-factor"
    secret = answered(200, await api.post(factor, json={"password": new_password}, headers=headers))["secret"]
    code = code_at(int(now().timestamp()) // STEP, secret)
    confirmed = await api.post(f"{factor}/confirm", json={"code": code}, headers=headers)
    recovery_code = answered(200, confirmed)["recovery_codes"][0]
    again = {"username": email, "password": new_password, "otp": recovery_code}
    answered(200, await api.post(f"{API}/auth/token", data=again))
    wanted = {"new_email": other, "password": new_password}
    answered(202, await api.post(f"{API}/users/me/email", json=wanted, headers=headers))
    confirmation = await eventually(lambda: mailed(other, r"verify-email\?token=([\w-]+)"))
    answered(200, await api.post(f"{API}/auth/verify-email", json={"token": confirmation}))

    secrets = {
        "new password": new_password,
        "reset link": link,
        "confirmation link": confirmation,
        "secret of the device": signed_in.cookies[COOKIE],
        "secret of the app": secret,
        "recovery code": recovery_code,
        "new address": other,
    }
    said = read(logs)
    assert [(log, name) for log, text in said.items() for name, value in secrets.items() if value in text] == []
