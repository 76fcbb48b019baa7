"""The other pages open without a complaint, under their content security policies; nothing comes from elsewhere."""

import httpx
from playwright.async_api import Page, expect

from tests.browser.conftest import Photograph


async def test_the_front_door_leads_to_swagger_ui(page: Page, shop_url: str, photograph: Photograph) -> None:
    await page.goto(shop_url)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await photograph(page, "landing")

    await page.get_by_role("link", name="Open Swagger").click()
    await expect(page.get_by_text("customer@example.com")).to_be_visible()
    await expect(page.locator("#operations-Catalogue-products_list")).to_be_visible()


async def test_redoc_shows_an_operation(page: Page, shop_url: str) -> None:
    await page.goto(f"{shop_url}/redoc")
    await page.get_by_role("link", name="Orders", exact=True).click()
    await page.get_by_role("link", name="Place Order").first.click()

    await expect(page.get_by_role("heading", name="Place Order")).to_be_visible()
    await expect(page.get_by_text("10117").first).to_be_visible()


async def test_the_link_in_the_mail_confirms_the_address(page: Page, shop_url: str, sandbox_url: str) -> None:
    account = {"email": "grace@example.com", "password": "a long enough passphrase", "full_name": "Grace Hopper"}
    async with httpx.AsyncClient(base_url=shop_url) as client:
        assert (await client.post("/api/v1/auth/register", json=account)).status_code == 202

    await page.goto(f"{sandbox_url}/mailbox")
    await page.get_by_role("button", name=account["email"]).click()
    async with page.expect_popup() as opened:
        await page.frame_locator("iframe").get_by_role("link", name="Confirm").click()
    link = await opened.value
    await link.get_by_role("button", name="Confirm").click()
    await expect(link.get_by_role("heading", level=1)).to_have_text("Welcome to Emporium")

    async with httpx.AsyncClient(base_url=shop_url) as client:
        form = {"username": account["email"], "password": account["password"], "grant_type": "password"}
        assert (await client.post("/api/v1/auth/token", data=form)).status_code == 200
