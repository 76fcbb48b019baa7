"""A development shop and a headless Chromium to visit it with."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from app.dev.surroundings import Ports
from tests.browser.witness import Witness
from tests.support.dev_shop import OpenShop, free_ports, opening, walkable_directory

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",  # containers and root offer none; only this shop's own pages are visited
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
PATIENCE_MS = 20_000
SCREENSHOTS = os.environ.get("SCREENSHOTS")

Photograph = Callable[[Page, str], Awaitable[None]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program: CHROMIUM, or the first on the PATH."""
    for name in filter(None, (os.environ.get("CHROMIUM"), *PROGRAMS)):
        if program := shutil.which(name):
            return program
    pytest.fail(
        "These tests need Chromium or Chrome. Install it (Debian, Ubuntu: apt install chromium), "
        "or name its program: make browser CHROMIUM=/path/to/chromium",
        pytrace=False,
    )


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def dev_shop(chromium: str) -> Iterator[OpenShop]:
    """`shop dev`, freshly filled; without a browser it is not even started. Pictures show the README's addresses."""
    ports = Ports(api=8000, sandbox=8001, smtp=1025) if SCREENSHOTS else free_ports()
    with walkable_directory() as home, opening(home / "shop", ports) as shop:
        shop.read_until("Emporium is open")
        yield shop


@pytest.fixture(scope="session")
def shop_url(dev_shop: OpenShop) -> str:
    return f"http://localhost:{dev_shop.ports.api}"


@pytest.fixture(scope="session")
def sandbox_url(dev_shop: OpenShop) -> str:
    return f"http://localhost:{dev_shop.ports.sandbox}"


@pytest.fixture
async def witness(shop_url: str, sandbox_url: str) -> AsyncIterator[Witness]:
    """Sees whatever goes wrong on a page; the test fails at its end when anything did."""
    witness = Witness(shop_url, sandbox_url)
    yield witness
    assert witness.complaints == []


@pytest.fixture
async def page(browser: Browser, witness: Witness) -> AsyncIterator[Page]:
    """An empty page of a visitor who has never been here."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, device_scale_factor=1, locale="en-GB", timezone_id="Europe/Berlin"
    )
    context.set_default_timeout(PATIENCE_MS)
    witness.watch(context)
    yield await context.new_page()
    await context.close()


@pytest.fixture(scope="session")
def photograph() -> Photograph:
    """Keep a picture of a page for the README: in the directory SCREENSHOTS, or nowhere without it."""

    async def take(page: Page, name: str) -> None:
        if SCREENSHOTS:
            await page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", animations="disabled", caret="hide")

    return take
