"""The purchase of the README, by hand: every example of Swagger UI is sent as it stands, only ids are replaced."""

from playwright.async_api import Page, expect

from tests.browser.conftest import Photograph
from tests.browser.swagger_ui import SwaggerUi
from tests.browser.witness import Witness


async def test_a_newcomer_buys_something(
    page: Page, witness: Witness, shop_url: str, sandbox_url: str, photograph: Photograph
) -> None:
    docs = await SwaggerUi.visit(page, shop_url)
    await photograph(page, "swagger-ui")
    await docs.sign_in("customer@example.com", "emporium-demo")

    browse = await docs.open("Catalogue", "products_list")
    status, products = await browse.execute()
    assert status == "200"
    product = next(product for product in products["data"] if product["in_stock"])

    look = await docs.open("Catalogue", "products_get")
    await look.fill(id_or_slug=product["slug"])
    status, detail = await look.execute()
    assert (status, detail["name"]) == ("200", product["name"])
    variant = max(detail["variants"], key=lambda variant: variant["available"])

    add = await docs.open("Cart", "cart_add_line")
    await add.replace(variant_id=variant["id"])
    status, cart = await add.execute()
    assert status == "201"
    assert [(line["variant_id"], line["quantity"]) for line in cart["lines"]] == [(variant["id"], 2)]

    checkout = await docs.open("Orders", "orders_place")
    status, order = await checkout.execute()
    assert (status, order["status"], order["payment_status"]) == ("201", "pending_payment", "pending")
    assert order["lines"][0]["sku"] == variant["sku"]
    await checkout.show_answer()
    await photograph(page, "order-placed")

    pay = await docs.open("Orders", "orders_pay")
    await pay.fill(order_id=order["id"])
    approved = await pay.example()
    await pay.replace(payment_method="pm_card_chargeDeclined")
    spent = await pay.proposed_key()
    witness.expect(402, "Payment Required")
    status, problem = await pay.execute()
    assert (status, problem["code"]) == ("402", "card_declined")

    assert await pay.proposed_key() != spent
    await pay.replace(**approved)
    status, payment = await pay.execute()
    assert (status, payment["status"]) == ("201", "succeeded")

    see = await docs.open("Orders", "orders_get")
    await see.fill(order_id=order["id"])
    status, paid = await see.execute()
    assert (status, paid["status"], paid["payment_status"]) == ("200", "confirmed", "paid")
    await see.show_answer()
    await photograph(page, "order-paid")

    await page.goto(f"{sandbox_url}/mailbox")
    mail = page.get_by_role("button", name=order["number"])
    await expect(mail).to_contain_text(order["email"])
    await mail.click()
    await expect(page.frame_locator("iframe").get_by_text(product["name"])).to_be_visible()
    await photograph(page, "mailbox")


async def test_every_visit_proposes_keys_of_its_own(page: Page, shop_url: str) -> None:
    docs = await SwaggerUi.visit(page, shop_url)
    first = [await (await docs.open("Orders", name)).proposed_key() for name in ("orders_place", "orders_pay")]
    docs = await SwaggerUi.visit(page, shop_url)
    second = [await (await docs.open("Orders", name)).proposed_key() for name in ("orders_place", "orders_pay")]

    assert len({key for key in (*first, *second) if key}) == 4
