"""A picture from somebody's disk to the shop's page, by hand in Swagger UI and through real processes."""

import asyncio
from typing import Any

from playwright.async_api import FilePayload, Page

from tests.browser.swagger_ui import SwaggerUi
from tests.support.pictures import picture
from tests.support.processes import eventually


async def width_of(page: Page, url: str) -> int:
    """How wide the browser finds the picture at this address."""
    await page.goto(url)
    width: int = await page.locator("img").evaluate("(image) => image.naturalWidth")
    return width


async def test_staff_upload_a_picture(page: Page, shop_url: str) -> None:
    docs = await SwaggerUi.visit(page, shop_url)
    await docs.sign_in("catalog@example.com", "emporium-demo")
    product = (await (await page.request.get(f"{shop_url}/api/v1/products?limit=1")).json())["data"][0]

    add = await docs.open("Catalogue_for_staff", "media_add")
    await add.fill(product_id=product["id"])
    await add.block.locator('tr[data-property-name="alt"] input[type=text]').fill("A tee on a hanger")
    chooser = add.block.locator("input[type=file]")
    await chooser.set_input_files(
        FilePayload(name="front.jpg", mimeType="image/jpeg", buffer=picture("JPEG", (900, 600)))
    )
    status, added = await add.execute()
    assert (status, added["width"], added["height"]) == ("201", 900, 600)
    assert added["alt"] == "A tee on a hanger"

    async def in_three_sizes() -> list[dict[str, Any]]:
        shown = await (await page.request.get(f"{shop_url}/api/v1/products/{product['id']}")).json()
        return [each for each in shown["media"] if each["id"] == added["id"] and each["renditions"]]

    [shown] = await eventually(in_three_sizes)
    sizes = [shown, *shown["renditions"]]
    assert [await width_of(page, each["url"]) for each in sizes] == [900, 320, 640]


async def test_the_demo_shop_has_pictures(page: Page, shop_url: str) -> None:
    cards = (await (await page.request.get(f"{shop_url}/api/v1/products?limit=100")).json())["data"]

    answers = await asyncio.gather(*(page.request.get(card["thumbnail"]["url"]) for card in cards))

    assert {(answer.status, answer.headers["content-type"]) for answer in answers} == {(200, "image/webp")}
    assert await width_of(page, cards[0]["thumbnail"]["url"]) == 320
