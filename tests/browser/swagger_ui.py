"""Swagger UI as a person uses it: fields are filled and buttons pressed, and answers are read off the page."""

import json
from typing import Any, Self

from playwright.async_api import Locator, Page, expect


class SwaggerUi:
    """The page `/docs`."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @classmethod
    async def visit(cls, page: Page, shop_url: str) -> Self:
        await page.goto(f"{shop_url}/docs")
        await expect(page.locator(".opblock-tag-section").first).to_be_visible()
        return cls(page)

    async def sign_in(self, email: str, password: str) -> None:
        """Through the dialog behind Authorize, typing where the focus is."""
        await self._page.locator(".auth-wrapper .authorize").click()
        await expect(self._page.locator("#oauth_username")).to_be_focused()
        await self._page.keyboard.type(email)
        await self._page.keyboard.press("Tab")
        await self._page.keyboard.type(password)
        dialog = self._page.locator(".auth-container", has=self._page.locator("#oauth_username"))
        await dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
        await expect(self._page.get_by_role("heading", name="Authorized", exact=True)).to_be_visible()
        await self._page.locator(".auth-container .btn-done").first.click()

    async def open(self, tag: str, operation_id: str) -> "Operation":
        block = self._page.locator(f"#operations-{tag}-{operation_id}")
        await block.locator(".opblock-summary-control").click()
        await expect(block.get_by_role("button", name="Execute")).to_be_visible()
        return Operation(self._page, block)


class Operation:
    """One unfolded operation, ready to be tried."""

    def __init__(self, page: Page, block: Locator) -> None:
        self._page, self.block = page, block
        self._answer = block.locator(".live-responses-table")

    def parameter(self, name: str) -> Locator:
        return self.block.locator(f'tr[data-param-name="{name}"]').locator("input, select")

    async def fill(self, **parameters: str) -> None:
        for name, value in parameters.items():
            await self.parameter(name).fill(value)

    async def proposed_key(self) -> str:
        return await self.parameter("Idempotency-Key").input_value()

    async def example(self) -> dict[str, Any]:
        """The body as the page proposes it."""
        body: dict[str, Any] = json.loads(await self.block.locator(".body-param__text").input_value())
        return body

    async def replace(self, **members: str) -> None:
        """Change the proposed body in these members only."""
        await self.block.locator(".body-param__text").fill(json.dumps(await self.example() | members, indent=2))

    async def execute(self) -> tuple[str, Any]:
        """Press Execute; the status and the body as the page shows them."""
        clear = self.block.get_by_role("button", name="Clear")
        if await clear.count():
            await clear.click()
            await expect(self._answer).to_have_count(0)
        await self.block.get_by_role("button", name="Execute").click()
        status = (await self._answer.locator("tbody .response-col_status").first.inner_text()).split()[0]
        shown = await self._answer.locator(".highlight-code code").first.text_content()
        return status, json.loads(shown or "null")

    async def show_answer(self) -> None:
        """Bring the answer to the top of the window, from the address that gave it."""
        await self.block.locator(".request-url").evaluate(
            "(node) => window.scrollTo(0, node.getBoundingClientRect().top + scrollY - 8)"
        )
