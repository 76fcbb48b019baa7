"""The page that the link in the verification mail leads to."""

from html.parser import HTMLParser

import httpx
import pytest
from sqlalchemy import select

from app.models.users import User
from app.shop import Shop
from tests.support.accounts import all_of, code, register, sign_in

PAGE = "/verify-email"


class Form(HTMLParser):
    """The forms of a page: where they lead, and what they send."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: list[tuple[str | None, str | None]] = []
        self.values: dict[str, str | None] = {}
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.add(tag)
        if tag == "form":
            self.targets.append((attributes.get("method"), attributes.get("action")))
        if tag == "input":
            self.values[attributes["name"] or ""] = attributes.get("value")


@pytest.fixture
async def token(client: httpx.AsyncClient, shop: Shop) -> str:
    """Of a mail to Ada, who has just registered."""
    assert (await register(client)).status_code == 202
    (user_id,) = await all_of(shop.database, select(User.id))
    mail = await shop.registrations.issue_email_verification(user_id)
    assert mail is not None
    return mail.token


async def test_opening_the_link_spends_nothing_and_the_button_confirms(client: httpx.AsyncClient, token: str) -> None:
    for _ in range(2):  # a scanner of links was here first
        opened = await client.get(PAGE, params={"token": token})
    assert opened.status_code == 200
    assert code(await sign_in(client)) == "email_not_verified"

    form = Form(opened.text)
    assert form.targets == [("post", "verify-email")]
    assert form.values == {"token": token}
    pressed = await client.post(PAGE, data=form.values)

    assert pressed.status_code == 200
    assert "you can sign in" in pressed.text
    assert (await sign_in(client)).status_code == 200


async def test_a_link_works_once(client: httpx.AsyncClient, token: str) -> None:
    await client.post(PAGE, data={"token": token})
    again = await client.post(PAGE, data={"token": token})

    assert again.status_code == 410
    assert again.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "does not work" in again.text


@pytest.mark.parametrize("token", ["unknown", "\N{SNOWMAN}", "x" * 4096])
async def test_a_link_of_nobody_is_refused(client: httpx.AsyncClient, token: str) -> None:
    assert (await client.post(PAGE, data={"token": token})).status_code == 410


async def test_a_link_without_its_token_is_refused(client: httpx.AsyncClient) -> None:
    opened = await client.get(PAGE)

    assert opened.status_code == 410
    assert Form(opened.text).targets == []
    assert code(await client.post(PAGE)) == "validation_failed"


async def test_what_the_address_holds_is_shown_as_text(client: httpx.AsyncClient) -> None:
    opened = await client.get(PAGE, params={"token": '"><script>alert(1)</script>'})

    assert Form(opened.text).values == {"token": '"><script>alert(1)</script>'}
    assert "script" not in Form(opened.text).tags


async def test_the_page_is_kept_by_nobody_and_sends_its_form_here_only(client: httpx.AsyncClient, token: str) -> None:
    for response in (await client.get(PAGE, params={"token": token}), await client.post(PAGE, data={"token": token})):
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert "form-action 'self'" in policy
        assert "default-src 'none'" in policy
        assert not [directive for directive in policy if directive.startswith("script-src")]
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_is_not_part_of_the_api(client: httpx.AsyncClient) -> None:
    assert PAGE not in (await client.get("/openapi.json")).json()["paths"]


async def test_the_other_pages_send_no_forms(client: httpx.AsyncClient) -> None:
    for page in ("/", "/docs", "/redoc"):
        assert "form-action 'none'" in (await client.get(page)).headers["Content-Security-Policy"]
