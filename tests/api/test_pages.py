"""The pages for people. That they work in a browser is shown by tests/browser."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from html.parser import HTMLParser

import httpx
import pytest

from app.settings import Environment

PAGES = ["/", "/docs", "/redoc"]
MakeClient = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text inside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline_code = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in {"script", "style"}:
            self.inline_code += data.strip()

    @property
    def addresses(self) -> set[str]:
        """Every address that the page loads or leads to."""
        found = (attributes.get(name) for _, attributes in self.elements for name in ("href", "src", "spec-url"))
        return {address for address in found if address}


def directives(response: httpx.Response) -> dict[str, list[str]]:
    policy = response.headers["Content-Security-Policy"]
    return {name: sources for name, *sources in (directive.split() for directive in policy.split(";"))}


@pytest.mark.parametrize("path", PAGES)
async def test_every_address_on_a_page_answers(client: httpx.AsyncClient, path: str) -> None:
    addresses = Page((await client.get(path)).text).addresses
    local = {address for address in addresses if not address.startswith(("#", "http://localhost:"))}

    assert {address: (await client.get(f"/{address}")).status_code for address in local} == dict.fromkeys(local, 200)
    assert {"docs", "redoc", "openapi.json"} <= local


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_no_inline_code_and_nothing_of_others(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    page, policy = Page(response.text), directives(response)

    assert page.inline_code == ""
    assert not [attributes for _, attributes in page.elements if "style" in attributes or "onload" in attributes]
    assert policy["default-src"] == ["'none'"]
    assert policy.get("script-src", ["'self'"]) == ["'self'"]
    assert policy.get("connect-src", ["'self'"]) == ["'self'"]
    assert "'unsafe-inline'" not in policy["style-src"]
    assert not [source for sources in policy.values() for source in sources if "//" in source]


async def test_the_landing_page_needs_no_script(client: httpx.AsyncClient) -> None:
    response = await client.get("/")

    assert "script-src" not in directives(response)
    assert "script" not in {tag for tag, _ in Page(response.text).elements}


@pytest.mark.parametrize("environment", [Environment.DEVELOPMENT, Environment.PRODUCTION])
async def test_the_steps_name_operations_that_exist(make_client: MakeClient, environment: Environment) -> None:
    async with make_client(environment=environment) as client:
        html = (await client.get("/")).text
        paths = (await client.get("/openapi.json")).json()["paths"]

    steps = re.findall(r'<b class="(get|post)">[A-Z]+</b> <code>(/[^<]+)</code>', html)
    assert ("post", "/orders/{order_id}/payments") in steps
    assert [(method, path) for method, path in steps if method not in paths.get(f"/api/v1{path}", {})] == []


@pytest.mark.parametrize(
    ("environment", "shown"),
    [(Environment.DEVELOPMENT, True), (Environment.TEST, False), (Environment.PRODUCTION, False)],
)
async def test_demo_accounts_are_told_in_development_only(
    make_client: MakeClient, environment: Environment, shown: bool
) -> None:
    async with make_client(environment=environment) as client:
        html = (await client.get("/")).text

    assert ("emporium-demo" in html) is shown
    assert ("customer@example.com" in html) is shown


async def test_the_mailbox_is_linked_where_there_is_a_sandbox(make_client: MakeClient) -> None:
    async with make_client(sandbox_url="http://localhost:9001/") as client:
        beside_a_sandbox = Page((await client.get("/")).text).addresses
    async with make_client(sandbox_url=None) as client:
        alone = (await client.get("/")).text

    assert "http://localhost:9001/mailbox" in beside_a_sandbox
    assert "/mailbox" not in alone


async def test_settings_are_escaped(make_client: MakeClient) -> None:
    async with make_client(public_url="http://localhost/'\"><script>alert(1)</script>") as client:
        html = (await client.get("/")).text

    assert "script" not in {tag for tag, _ in Page(html).elements}
    assert "&lt;script&gt;" in html


async def test_vendored_files_are_kept_and_ours_are_asked_about(client: httpx.AsyncClient) -> None:
    [vendored] = [address for address in Page((await client.get("/redoc")).text).addresses if "vendor" in address]

    assert (await client.get(f"/{vendored}")).headers["Cache-Control"] == "public, max-age=31536000, immutable"

    ours = await client.get("/static/pages/base.css")
    again = await client.get("/static/pages/base.css", headers={"If-None-Match": ours.headers["ETag"]})
    assert ours.headers["Cache-Control"] == again.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_the_icon_that_browsers_ask_for(client: httpx.AsyncClient) -> None:
    response = await client.get("/favicon.ico")

    assert response.status_code == 200
    assert response.content.startswith(b"\x00\x00\x01\x00")


async def test_nothing_outside_the_static_folder_is_served(client: httpx.AsyncClient) -> None:
    for path in (
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/",
        "/static/vendor",
        "/static/nothing",
    ):
        response = await client.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), path
