"""The database's own belts: raw SQL that breaks a rule is refused by the constraint that states it."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.database import Database
from tests.support.shopping import add_delivery, add_product, place

STOCK = "UPDATE stock_levels SET"
ORDER = "UPDATE orders SET"
LINE = "UPDATE order_lines SET"
PAYMENT = "UPDATE payments SET"

# What is broken, and by which constraint it is refused. The order: 2 of 10 units at 19.99 and shipping of 4.90.
VIOLATIONS = {
    f"{STOCK} on_hand = -1, reserved = 0, backorder_limit = 9": "ck_stock_levels_on_hand",
    f"{STOCK} reserved = -1": "ck_stock_levels_reserved",
    f"{STOCK} reserved = on_hand + 1": "ck_stock_levels_not_oversold",
    f"{STOCK} on_hand = 1": "ck_stock_levels_not_oversold",
    f"{STOCK} reserved = on_hand + 4, backorder_limit = 3": "ck_stock_levels_not_oversold",
    f"{STOCK} backorder_limit = -1": "ck_stock_levels_backorder_limit",
    f"{STOCK} reorder_point = -1": "ck_stock_levels_reorder_point",
    "UPDATE stock_reservations SET quantity = 0": "ck_stock_reservations_quantity",
    "UPDATE stock_reservations SET status = 'lost'": "ck_stock_reservations_status",
    "INSERT INTO stock_movements (id, variant_id, reason) SELECT gen_random_uuid(), variant_id, 'none'"
    " FROM stock_levels": "ck_stock_movements_moves_something",
    f"{ORDER} grand_total = grand_total - 1": "ck_orders_totals_add_up",
    f"{ORDER} discount_total = 1": "ck_orders_totals_add_up",
    f"{ORDER} prices_include_tax = false": "ck_orders_totals_add_up",
    f"{ORDER} subtotal = -1, grand_total = shipping_total - 1": "ck_orders_totals",
    f"{ORDER} discount_total = subtotal + shipping_total + 1, grand_total = -1": "ck_orders_totals",
    f"{ORDER} shipping_total = -1, grand_total = subtotal - 1": "ck_orders_totals",
    f"{ORDER} tax_total = -1": "ck_orders_totals",
    f"{ORDER} currency = 'euro'": "ck_orders_currency",
    f"{ORDER} guest_token_hash = NULL": "ck_orders_has_owner",
    f"{ORDER} status = 'paid'": "ck_orders_status",
    f"{ORDER} payment_status = 'confirmed'": "ck_orders_payment_status",
    f"{ORDER} fulfillment_status = 'lost'": "ck_orders_fulfillment_status",
    f"{LINE} quantity = 0, subtotal = 0": "ck_order_lines_quantity",
    f"{LINE} subtotal = subtotal + 1": "ck_order_lines_subtotal",
    f"{LINE} tax = -1": "ck_order_lines_amounts",
    f"{LINE} tax_rate = 1": "ck_order_lines_tax_rate",
    f"{PAYMENT} amount = 0": "ck_payments_amount",
    f"{PAYMENT} amount_captured = amount + 1": "ck_payments_captured",
    f"{PAYMENT} amount_captured = -1": "ck_payments_captured",
    f"{PAYMENT} amount_refunded = 1": "ck_payments_refunded",
    f"{PAYMENT} amount_captured = 5, amount_refunded = 6": "ck_payments_refunded",
    f"{PAYMENT} status = 'paid'": "ck_payments_status",
    "INSERT INTO payments (id, order_id, provider, status, amount, currency)"
    " SELECT gen_random_uuid(), order_id, 'other', status, amount, currency FROM payments": "uq_payments_live_of_order",
    "INSERT INTO refunds (id, payment_id, amount, reason, status)"
    " SELECT gen_random_uuid(), id, 0, 'none', 'pending' FROM payments": "ck_refunds_amount",
    'INSERT INTO orders SELECT (jsonb_populate_record(orders, \'{"id": "00000000-0000-7000-8000-000000000000",'
    ' "number": "EM-0"}\')).* FROM orders': "uq_orders_cart_id",
}


@pytest.fixture
async def order(client: httpx.AsyncClient, database: Database) -> UUID:
    """The only order there is, unpaid."""
    await add_delivery(database)
    placed, _ = await place(client, (await add_product(database, stock=10), 2))
    return UUID(placed["id"])


@pytest.mark.parametrize(("statement", "constraint"), VIOLATIONS.items())
async def test_raw_sql_cannot_break_the_rules(order: UUID, database: Database, statement: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=f'"{constraint}"'):
        await run(database, statement)


async def run(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text(statement))
