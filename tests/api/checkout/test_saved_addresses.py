"""Which address an order goes to, and what is kept of it."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.shop import Shop
from tests.support.accounts import code
from tests.support.people import BOOK, PHONE, keep
from tests.support.rows import rows
from tests.support.shopping import ADDRESS, API, add, add_product, guest_cart, keyed, signed_in, stored_order

OFFICE = {
    "full_name": "Ada Lovelace",
    "line1": "Office Street 7",
    "city": "Wien",
    "postal_code": "1010",
    "country": "AT",
}


@pytest.fixture
async def ada(shop: Shop, client: httpx.AsyncClient, database: Database) -> dict[str, str]:
    """Ada, with something in her cart."""
    person = await signed_in(shop)
    assert (await add(client, person, await add_product(database))).status_code == 201
    return person


async def order(client: httpx.AsyncClient, person: dict[str, str], **body: Any) -> httpx.Response:
    return await client.post(f"{API}/orders", json=body, headers=keyed(person))


def of(address: dict[str, Any]) -> dict[str, Any]:
    """The address as an order shows it."""
    return {name: address.get(name) for name in ("full_name", "line1", "city", "postal_code", "country", "phone")}


async def test_an_order_goes_to_a_saved_address_and_keeps_it_as_it_was(
    client: httpx.AsyncClient, ada: dict[str, str]
) -> None:
    await keep(client, ada)
    office = await keep(client, ada, **OFFICE, phone=PHONE)

    placed = (await order(client, ada, shipping_address_id=office["id"])).json()
    await client.patch(f"{BOOK}/{office['id']}", json={"city": "Graz"}, headers=ada)
    await client.delete(f"{BOOK}/{office['id']}", headers=ada)

    shown = (await client.get(f"{API}/orders/{placed['id']}", headers=ada)).json()
    assert of(shown["shipping_address"]) == of(OFFICE | {"phone": PHONE})
    assert of(shown["billing_address"]) == of(ADDRESS)  # the first one in the book is the default


async def test_the_default_is_where_it_goes_when_nobody_says_anything(
    client: httpx.AsyncClient, ada: dict[str, str]
) -> None:
    await keep(client, ada, **OFFICE)

    placed = await order(client, ada)

    assert placed.status_code == 201
    assert of(placed.json()["shipping_address"]) == of(placed.json()["billing_address"]) == of(OFFICE)
    assert placed.json()["totals"]["tax"]["amount"] == 0  # Austria's, of which this shop has none: not Germany's


async def test_the_cart_is_asked_before_the_book_and_the_request_before_the_cart(
    client: httpx.AsyncClient, database: Database, ada: dict[str, str]
) -> None:
    await keep(client, ada, line1="From the book")
    await client.put(f"{API}/cart/address", json=ADDRESS | {"line1": "From the cart"}, headers=ada)
    from_cart = await order(client, ada)
    await add(client, ada, await add_product(database))
    await client.put(f"{API}/cart/address", json=ADDRESS | {"line1": "From the cart"}, headers=ada)
    from_request = await order(
        client, ada, shipping_address=ADDRESS | {"line1": "From the request"}, billing_address=OFFICE
    )

    assert from_cart.json()["shipping_address"]["line1"] == "From the cart"
    assert from_cart.json()["billing_address"]["line1"] == "From the book"
    assert from_request.json()["shipping_address"]["line1"] == "From the request"
    assert of(from_request.json()["billing_address"]) == of(OFFICE)


async def test_somebody_elses_saved_address_is_not_there(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: dict[str, str]
) -> None:
    theirs = await keep(client, await signed_in(shop))
    before = await rows(database)

    refusals = [await order(client, ada, shipping_address_id=each) for each in (theirs["id"], str(uuid4()))]

    assert [(refusal.status_code, code(refusal)) for refusal in refusals] == [(404, "not_found")] * 2
    assert await rows(database) == before


async def test_a_guest_has_no_saved_addresses(
    client: httpx.AsyncClient, database: Database, ada: dict[str, str]
) -> None:
    address = await keep(client, ada)
    guest = await guest_cart(client, (await add_product(database), 1))

    refused = await order(client, guest, email="g@example.com", shipping_address_id=address["id"])

    assert (refused.status_code, code(refused)) == (404, "not_found")


async def test_two_addresses_are_one_too_many(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    refused = await order(client, ada, shipping_address=ADDRESS, shipping_address_id=str(uuid4()))

    assert (refused.status_code, code(refused)) == (422, "validation_failed")


async def test_no_address_is_clear_text_in_the_database(
    client: httpx.AsyncClient, connection: AsyncConnection, database: Database, ada: dict[str, str]
) -> None:
    await client.put(f"{API}/cart/address", json=ADDRESS | {"phone": PHONE}, headers=ada)
    placed = (await order(client, ada)).json()
    keyed_cart = await client.post(
        f"{API}/cart/lines", json={"variant_id": str((await add_product(database)).id)}, headers=keyed(ada)
    )
    assert keyed_cart.status_code == 201

    for table in ("carts", "orders", "idempotency_keys", "outbox", "order_events"):
        for stored in (await connection.execute(text(f"SELECT to_jsonb({table})::text FROM {table}"))).scalars():  # noqa: S608
            assert ADDRESS["line1"] not in stored, table
            assert PHONE not in stored, table
    saved = (await stored_order(database, placed["id"])).shipping_address
    assert (saved["line1"], saved["phone"]) == (ADDRESS["line1"], PHONE)


async def test_a_repeated_order_is_answered_to_the_byte(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    address = await keep(client, ada, phone=PHONE)
    headers = keyed(ada)
    answers = [
        await client.post(f"{API}/orders", json={"shipping_address_id": address["id"]}, headers=headers)
        for _ in range(2)
    ]

    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotent-replayed"] == "true"


async def test_orders_of_before_encryption_are_still_read(
    client: httpx.AsyncClient, connection: AsyncConnection, database: Database, ada: dict[str, str]
) -> None:
    await keep(client, ada)
    placed = (await order(client, ada)).json()
    clear = '{"full_name": "Ada", "line1": "Old 1", "city": "Ulm", "postal_code": "1", "country": "DE"}'
    await connection.execute(
        text("UPDATE orders SET shipping_address = CAST(:clear AS jsonb) WHERE id = :id"),
        {"clear": clear, "id": UUID(placed["id"])},
    )

    shown = (await client.get(f"{API}/orders/{placed['id']}", headers=ada)).json()

    assert shown["shipping_address"]["line1"] == "Old 1"
