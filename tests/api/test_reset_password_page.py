"""The page that the link in the mail about a forgotten password leads to."""

import httpx
import pytest
from sqlalchemy import func, select

from app.database import Database
from app.models.users import User
from app.shop import Shop
from tests.api.test_verify_email_page import Form
from tests.support.accounts import all_of, change, register, sign_in

PAGE = "/reset-password"
NEW = "another lång passphrase"


@pytest.fixture
async def token(client: httpx.AsyncClient, database: Database, shop: Shop) -> str:
    """Of a mail to Ada, who has forgotten her password."""
    assert (await register(client)).status_code == 202
    await change(database, User, email_verified_at=func.now())
    (user_id,) = await all_of(database, select(User.id))
    mail = await shop.credentials.issue_reset(user_id)
    assert mail is not None
    return mail.token


async def send(
    client: httpx.AsyncClient, token: str, password: str = NEW, repeated: str | None = None
) -> httpx.Response:
    form = {"token": token, "new_password": password, "repeated": password if repeated is None else repeated}
    return await client.post(PAGE, data=form)


async def test_opening_the_link_spends_nothing_and_the_form_sets_the_password(
    client: httpx.AsyncClient, token: str
) -> None:
    for _ in range(2):  # a scanner of links was here first
        opened = await client.get(PAGE, params={"token": token})
    assert opened.status_code == 200
    form = Form(opened.text)
    assert form.targets == [("post", "reset-password")]
    assert form.values == {"token": token, "new_password": None, "repeated": None}

    done = await send(client, token)

    assert (done.status_code, "new password is set" in done.text) == (200, True)
    assert (await sign_in(client, NEW)).status_code == 200


async def test_a_link_works_once(client: httpx.AsyncClient, token: str) -> None:
    await send(client, token)

    for again in (await send(client, token), await client.get(PAGE, params={"token": token})):
        assert (again.status_code, "does not work" in again.text) == (410, True)
        assert again.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("password", "repeated", "reason"),
    [
        ("another long passphrase", "another long passphrass", "not the same"),
        ("short", "short", "8 to 256 characters"),
        ("x1" * 129, "x1" * 129, "8 to 256 characters"),
        ("password1", "password1", "Too many people use it"),
        ("AdaLovelace1815", "AdaLovelace1815", "your name"),
        ("", "", "8 to 256 characters"),
    ],
)
async def test_what_will_not_do_is_asked_for_again(
    client: httpx.AsyncClient, token: str, password: str, repeated: str, reason: str
) -> None:
    refused = await send(client, token, password, repeated)

    assert (refused.status_code, reason in refused.text) == (422, True)
    assert Form(refused.text).values == {"token": token, "new_password": None, "repeated": None}
    assert (await send(client, token)).status_code == 200


@pytest.mark.parametrize("token", ["unknown", "\N{SNOWMAN}", "x" * 4096, ""])
async def test_a_link_of_nobody_is_refused(client: httpx.AsyncClient, token: str) -> None:
    assert (await client.get(PAGE, params={"token": token})).status_code == 410
    if token:
        assert (await send(client, token)).status_code == 410


async def test_the_page_is_kept_by_nobody_and_sends_its_form_here_only(client: httpx.AsyncClient, token: str) -> None:
    for response in (await client.get(PAGE, params={"token": token}), await send(client, token)):
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert {"form-action 'self'", "default-src 'none'"} <= set(policy)
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_is_not_part_of_the_api(client: httpx.AsyncClient) -> None:
    assert PAGE not in (await client.get("/openapi.json")).json()["paths"]
