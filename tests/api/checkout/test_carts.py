"""Carts of guests and customers."""

from uuid import uuid4

import httpx
import pytest

from app.database import Database
from app.models.shipping import ShippingMethod
from app.shop import Shop
from tests.support.accounts import code
from tests.support.shopping import ADDRESS, API, add, add_product, guest_cart, signed_in


async def test_a_guest_keeps_a_cart_by_its_token(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database, price=1999)
    headers = await guest_cart(client, (mug, 2))

    cart = (await client.get(f"{API}/cart", headers=headers)).json()

    assert [(line["sku"], line["quantity"]) for line in cart["lines"]] == [(mug.sku, 2)]
    assert cart["totals"]["total"] == {"amount": 3998, "currency": "EUR"}
    assert cart["totals"]["tax"] == {"amount": 638, "currency": "EUR"}
    assert cart["lines"][0]["available"] == 10


async def test_adding_a_variant_again_adds_up(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database)
    headers = await guest_cart(client, (mug, 2))

    cart = (await add(client, headers, mug, 3)).json()

    assert [line["quantity"] for line in cart["lines"]] == [5]
    assert cart["version"] == 3


async def test_a_first_line_opens_a_cart(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    mug = await add_product(database)

    guest = await add(client, {}, mug)
    customer = await add(client, await signed_in(shop), mug)

    assert guest.headers["X-Cart-Token"]
    assert "X-Cart-Token" not in customer.headers


async def test_more_than_there_are_is_refused(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database, stock=3)
    headers = await guest_cart(client, (mug, 2))

    refused = await add(client, headers, mug, 2)

    assert (refused.status_code, code(refused)) == (409, "insufficient_stock")
    assert refused.json()["lines"] == [{"variant_id": str(mug.id), "requested": 4, "available": 3}]
    cart = (await client.get(f"{API}/cart", headers=headers)).json()
    assert cart["lines"][0]["quantity"] == 2


@pytest.mark.parametrize("quantity", [0, -1, 1000, 10**12, 1.5, "2", True, None])
async def test_a_quantity_is_a_number_from_1_to_999(
    client: httpx.AsyncClient, database: Database, quantity: object
) -> None:
    mug = await add_product(database)
    headers = await guest_cart(client)

    refused = await client.post(
        f"{API}/cart/lines", json={"variant_id": str(mug.id), "quantity": quantity}, headers=headers
    )

    assert (refused.status_code, code(refused)) == (422, "validation_failed")
    assert refused.json()["errors"][0]["pointer"] == "/quantity"


async def test_lines_change_and_go(client: httpx.AsyncClient, database: Database) -> None:
    mug, cup = await add_product(database), await add_product(database)
    headers = await guest_cart(client, (mug, 1), (cup, 1))
    lines = (await client.get(f"{API}/cart", headers=headers)).json()["lines"]

    await client.patch(f"{API}/cart/lines/{lines[0]['id']}", json={"quantity": 4}, headers=headers)
    cart = (await client.delete(f"{API}/cart/lines/{lines[1]['id']}", headers=headers)).json()

    assert [(line["sku"], line["quantity"]) for line in cart["lines"]] == [(mug.sku, 4)]
    assert (await client.delete(f"{API}/cart", headers=headers)).status_code == 204
    assert (await client.get(f"{API}/cart", headers=headers)).json()["lines"] == []


async def test_shipping_is_part_of_the_total(
    client: httpx.AsyncClient, database: Database, delivery: ShippingMethod
) -> None:
    headers = await guest_cart(client, (await add_product(database, price=1000), 1))
    await client.put(f"{API}/cart/address", json=ADDRESS, headers=headers)

    options = (await client.get(f"{API}/cart/shipping-options", headers=headers)).json()["data"]
    chosen = await client.put(
        f"{API}/cart/shipping-method", json={"shipping_method_id": options[0]["id"]}, headers=headers
    )

    assert [option["code"] for option in options] == ["standard"]
    assert chosen.json()["totals"]["shipping"]["amount"] == delivery.price_amount
    assert chosen.json()["totals"]["total"]["amount"] == 1490


async def test_a_method_that_is_not_offered_is_refused(client: httpx.AsyncClient, database: Database) -> None:
    headers = await guest_cart(client, (await add_product(database), 1))

    refused = await client.put(
        f"{API}/cart/shipping-method", json={"shipping_method_id": str(uuid4())}, headers=headers
    )

    assert (refused.status_code, code(refused)) == (422, "validation_failed")


async def test_another_guests_line_is_not_there(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database)
    theirs = await guest_cart(client, (mug, 1))
    line = (await client.get(f"{API}/cart", headers=theirs)).json()["lines"][0]
    mine = await guest_cart(client, (mug, 1))

    assert code(await client.delete(f"{API}/cart/lines/{line['id']}", headers=mine)) == "not_found"
    assert len((await client.get(f"{API}/cart", headers=theirs)).json()["lines"]) == 1


async def test_no_cart_without_a_token(client: httpx.AsyncClient) -> None:
    assert code(await client.get(f"{API}/cart")) == "not_found"
    assert code(await client.get(f"{API}/cart", headers={"X-Cart-Token": "made-up"})) == "not_found"


async def test_carts_merge_once(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    mug, cup = await add_product(database), await add_product(database)
    guest, customer = await guest_cart(client, (mug, 2), (cup, 1)), await signed_in(shop)
    await add(client, customer, mug, 3)

    body = {"cart_token": guest["X-Cart-Token"]}
    merged = (await client.post(f"{API}/cart/merge", json=body, headers=customer)).json()
    again = (await client.post(f"{API}/cart/merge", json=body, headers=customer)).json()

    assert {line["sku"]: line["quantity"] for line in merged["lines"]} == {mug.sku: 5, cup.sku: 1}
    assert {line["sku"]: line["quantity"] for line in again["lines"]} == {mug.sku: 5, cup.sku: 1}
    assert code(await client.get(f"{API}/cart", headers=guest)) == "not_found"


async def test_a_merge_caps_quantities_and_says_so(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    mug = await add_product(database, stock=5000)
    guest, customer = await guest_cart(client, (mug, 900)), await signed_in(shop)
    await add(client, customer, mug, 900)

    merged = await client.post(f"{API}/cart/merge", json={"cart_token": guest["X-Cart-Token"]}, headers=customer)

    assert merged.json()["lines"][0]["quantity"] == 999
    assert merged.json()["warnings"][0]["code"] == "quantity_capped"
