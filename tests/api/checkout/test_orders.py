"""From a cart to an order."""

from uuid import uuid4

import httpx

from app.database import Database
from app.models.products import Product, ProductStatus
from app.models.shipping import ShippingMethod
from app.models.users import Role
from app.shop import Shop
from tests.support.accounts import change, code, events
from tests.support.shopping import (
    ADDRESS,
    API,
    add,
    add_product,
    check_out,
    count_orders,
    guest_cart,
    keyed,
    pay,
    place,
    signed_in,
    stock_of,
)


async def test_an_order_takes_the_stock_and_the_cart(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database, stock=9, price=1999)
    cart = await guest_cart(client, (mug, 2))

    placed = await check_out(client, cart)

    order = placed.json()
    assert placed.status_code == 201
    assert placed.headers["Location"] == f"{API}/orders/{order['id']}"
    assert (order["status"], order["payment_status"]) == ("pending_payment", "pending")
    assert order["totals"]["total"] == {"amount": 2 * 1999 + 490, "currency": "EUR"}
    assert order["payment"]["status"] == "requires_payment_method"
    assert order["payment"]["client_secret"].startswith("pi_")
    assert await stock_of(database, mug) == (9, 2)
    assert await events(database) == ["order.placed"]
    assert code(await client.get(f"{API}/cart", headers=cart)) == "not_found"


async def test_an_order_beyond_the_stock_changes_nothing(client: httpx.AsyncClient, database: Database) -> None:
    mug, cup = await add_product(database, stock=9), await add_product(database, stock=2)
    cart = await guest_cart(client, (mug, 1), (cup, 2))
    await place(client, (cup, 1))

    refused = await check_out(client, cart)

    assert (refused.status_code, code(refused)) == (409, "insufficient_stock")
    assert refused.json()["lines"] == [{"variant_id": str(cup.id), "requested": 2, "available": 1}]
    assert await stock_of(database, mug) == (9, 0)
    assert await stock_of(database, cup) == (2, 1)
    assert await count_orders(database) == 1


async def test_a_product_that_was_taken_down_cannot_be_bought(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database)
    cart = await guest_cart(client, (mug, 1))
    await change(database, Product, status=ProductStatus.ARCHIVED)

    assert code(await check_out(client, cart)) == "insufficient_stock"
    assert await stock_of(database, mug) == (10, 0)


async def test_a_total_that_changed_is_not_charged(client: httpx.AsyncClient, database: Database) -> None:
    cart = await guest_cart(client, (await add_product(database, price=1000), 1))

    refused = await check_out(client, cart, expected_total={"amount": 1000, "currency": "EUR"})
    accepted = await check_out(client, cart, expected_total={"amount": 1490, "currency": "EUR"})

    assert (refused.status_code, code(refused)) == (409, "totals_changed")
    assert refused.json()["actual"] == {"amount": 1490, "currency": "EUR"}
    assert accepted.status_code == 201


async def test_the_same_key_repeats_the_answer_and_not_the_deed(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database, stock=9)
    cart = await guest_cart(client, (mug, 2))

    first = await check_out(client, cart, "one-and-only")
    again = await check_out(client, cart, "one-and-only")

    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json() == first.json()
    assert await count_orders(database) == 1
    assert await stock_of(database, mug) == (9, 2)


async def test_a_key_belongs_to_one_body_and_one_principal(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database)
    mine, theirs = await guest_cart(client, (mug, 1)), await guest_cart(client, (mug, 1))

    first = await check_out(client, mine, "shared")
    other_body = await check_out(client, mine, "shared", notes="something else")
    other_guest = await check_out(client, theirs, "shared")

    assert (other_body.status_code, code(other_body)) == (422, "idempotency_key_reused")
    assert other_guest.status_code == 201
    assert other_guest.json()["id"] != first.json()["id"]


async def test_a_refusal_that_changed_nothing_may_be_tried_again(client: httpx.AsyncClient, database: Database) -> None:
    cart = await guest_cart(client)
    refused = await check_out(client, cart, "again")
    await add(client, cart, await add_product(database))

    assert code(refused) == "cart_empty"
    assert (await check_out(client, cart, "again")).status_code == 201


async def test_a_key_is_required(client: httpx.AsyncClient, database: Database) -> None:
    cart = await guest_cart(client, (await add_product(database), 1))

    missing = await client.post(f"{API}/orders", json={}, headers=cart)
    too_long = await check_out(client, cart, "x" * 256)

    assert (missing.status_code, code(missing)) == (400, "idempotency_key_required")
    assert (too_long.status_code, code(too_long)) == (400, "idempotency_key_required")


async def test_what_is_missing_is_named(client: httpx.AsyncClient, database: Database) -> None:
    cart = await guest_cart(client, (await add_product(database), 1))

    no_address = await client.post(f"{API}/orders", json={}, headers=keyed(cart))
    no_email = await client.post(f"{API}/orders", json={"shipping_address": ADDRESS}, headers=keyed(cart))

    assert no_address.json()["errors"][0]["pointer"] == "/shipping_address"
    assert no_email.json()["errors"][0]["pointer"] == "/email"
    assert await count_orders(database) == 0


async def test_smuggled_fields_are_refused(client: httpx.AsyncClient, database: Database) -> None:
    cart = await guest_cart(client, (await add_product(database), 1))

    refused = await check_out(client, cart, status="confirmed", grand_total=1)

    assert (refused.status_code, code(refused)) == (422, "validation_failed")
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/status", "/grand_total"}


async def test_a_free_order_needs_no_payment(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    await change(database, ShippingMethod, price_amount=0)
    sample = await add_product(database, price=0)

    order, headers = await place(client, (sample, 1))

    assert (order["status"], order["payment_status"], order["payment"]) == ("confirmed", "paid", None)
    assert code(await pay(client, order, headers)) == "payment_not_possible"


async def test_an_order_is_seen_by_its_owner_and_support_only(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    owner, other, support = await signed_in(shop), await signed_in(shop), await signed_in(shop, Role.SUPPORT)
    await add(client, owner, await add_product(database))
    order = (await check_out(client, owner)).json()
    path = f"{API}/orders/{order['id']}"

    assert order["order_token"] is None
    assert (await client.get(path, headers=owner)).json()["id"] == order["id"]
    assert (await client.get(path, headers=support)).json()["id"] == order["id"]
    assert code(await client.get(path, headers=other)) == "not_found"
    assert code(await client.get(path, headers={"X-Order-Token": "made-up"})) == "not_found"
    assert code(await client.get(path)) == "unauthorized"
    assert code(await client.get(f"{API}/orders/{uuid4()}", headers=owner)) == "not_found"


async def test_lists_hold_ones_own_orders_page_by_page(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    owner, support = await signed_in(shop), await signed_in(shop, Role.SUPPORT)
    mug = await add_product(database, stock=50)
    numbers = []
    for _ in range(5):
        await add(client, owner, mug)
        numbers.append((await check_out(client, owner)).json()["number"])
    await place(client, (mug, 1))

    first = (await client.get(f"{API}/orders?limit=3&include_total=true", headers=owner)).json()
    second = (await client.get(f"{API}/orders?limit=3&cursor={first['page']['next_cursor']}", headers=owner)).json()
    back = (await client.get(f"{API}/orders?limit=3&cursor={second['page']['prev_cursor']}", headers=owner)).json()
    everybodys = (await client.get(f"{API}/orders", headers=support)).json()

    assert [order["number"] for order in first["data"] + second["data"]] == numbers[::-1]
    assert back["data"] == first["data"]
    assert first["page"]["total"] == 5
    assert second["page"]["has_more"] is False
    assert len(everybodys["data"]) == 6
    assert (
        code(await client.get(f"{API}/orders?cursor={first['page']['next_cursor']}x", headers=owner))
        == "invalid_cursor"
    )
    assert code(await client.get(f"{API}/orders?color=red", headers=owner)) == "validation_failed"


async def test_cancelling_frees_the_stock_once(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database, stock=9)
    order, headers = await place(client, (mug, 2))
    path = f"{API}/orders/{order['id']}/cancel"

    cancelled = await client.post(path, headers=keyed(headers))
    again = await client.post(path, headers=keyed(headers))

    assert cancelled.json()["status"] == again.json()["status"] == "cancelled"
    assert await stock_of(database, mug) == (9, 0)
    assert code(await pay(client, order, headers)) == "payment_not_possible"
    timeline = (await client.get(f"{API}/orders/{order['id']}/events", headers=headers)).json()["data"]
    assert [event["type"] for event in timeline] == ["order.placed", "order.cancelled"]


async def test_the_stock_adds_up_after_all_of_this(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    mug = await add_product(database, stock=9)
    order, headers = await place(client, (mug, 2))
    await pay(client, order, headers)
    cancelled, their_headers = await place(client, (mug, 3))
    await client.post(f"{API}/orders/{cancelled['id']}/cancel", headers=keyed(their_headers))

    assert await stock_of(database, mug) == (9, 2)
    assert await shop.inventory.audit() == []
