"""How many statements a purchase takes: a number, not a function of how much is bought (domain rule 11)."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.shop import Shop
from tests.support.shopping import API, add, add_product, check_out, guest_cart, signed_in
from tests.support.statements import count_statements

ADD_TO_CART = 2
CHECKOUT = 7  # those of both transactions, the provider's answer between them


@pytest.mark.parametrize("lines", [1, 10])
async def test_adding_to_a_cart(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection, lines: int
) -> None:
    cart = await guest_cart(client, *[(await add_product(database), 1) for _ in range(lines)])
    mug = await add_product(database)

    with count_statements(connection) as statements:
        assert (await add(client, cart, mug)).status_code == 201

    assert len(statements) == ADD_TO_CART, "\n\n".join(statements)


async def test_checking_out_takes_as_many_for_ten_lines_as_for_one(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection
) -> None:
    counts = []
    for lines in (1, 10):
        cart = await guest_cart(client, *[(await add_product(database), 1) for _ in range(lines)])
        with count_statements(connection) as statements:
            assert (await check_out(client, cart)).status_code == 201
        counts.append(len(statements))

    assert counts == [CHECKOUT, CHECKOUT]


async def test_listing_orders_takes_as_many_for_fifty_as_for_one(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection, shop: Shop
) -> None:
    mug = await add_product(database, stock=100)
    customer = await signed_in(shop)
    counts = []
    for orders in (1, 49):
        for _ in range(orders):
            await add(client, customer, mug)
            await check_out(client, customer)
        with count_statements(connection) as statements:
            listed = await client.get(f"{API}/orders?limit=50", headers=customer)
        assert len(listed.json()["data"]) in (1, 50)
        counts.append(len(statements))

    assert counts[0] == counts[1]
