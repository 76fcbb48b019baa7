"""The demo shop: believable, consistent with the shop's own rules, and the same every time."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection
from pydantic import SecretStr
from sqlalchemy import Column

from app.core.passwords import PasswordHasher
from app.database import Database
from app.dev.seed import DEMO_PASSWORD, SeedRefused, seed_shop
from app.dev.seed.planting import Size
from app.gateways.media_store import MediaStore
from app.models import Base
from app.models.encrypted import Encrypted
from app.models.users import Role
from app.services.pricing import included_tax
from app.settings import Environment, Settings
from tests.support.pictures import opened

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
SMALL = Size(products=30, orders=20)


@pytest.fixture
def own_settings(settings: Settings, fresh_database_url: str, tmp_path: Path) -> Settings:
    own = {"database_url": SecretStr(fresh_database_url), "media_store": str(tmp_path / "media")}
    return settings.model_copy(update=own)


@pytest.fixture
async def sql(fresh_database_url: str) -> AsyncIterator["Connection[Any]"]:
    connection = await asyncpg.connect(fresh_database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


def is_salted(column: "Column[Any]") -> bool:
    return column.name == "password_hash" or isinstance(column.type, Encrypted)


async def everything_in(sql: "Connection[Any]") -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, without what is salted and the database's own log of it."""
    contents = {}
    for table in Base.metadata.sorted_tables:
        if table.name != "audit_log":
            columns = ", ".join(f'"{column.name}"' for column in table.c if not is_salted(column))
            found = await sql.fetch(f"SELECT {columns} FROM {table.name} ORDER BY 1, 2")  # noqa: S608  # our own names
            contents[table.name] = [dict(row) for row in found]
    return contents


async def test_the_shop_is_believable(own_settings: Settings, sql: "Connection[Any]") -> None:
    assert await seed_shop(own_settings, Size(), NOON)

    assert await sql.fetchval("SELECT count(*) FROM products WHERE status = 'active'") == 87
    assert await sql.fetchval("SELECT count(*) FROM categories WHERE parent_id IS NULL") == 12
    assert await sql.fetchval("SELECT count(*) FROM categories WHERE parent_id IS NOT NULL") == 35
    assert await sql.fetchval("SELECT count(DISTINCT description) = count(*) FROM products")
    assert await sql.fetchval("SELECT min(length(description)) > 100 FROM products")
    assert await sql.fetchval("SELECT count(*) > 5 FROM variants WHERE compare_at_amount IS NOT NULL")
    assert 3 <= await sql.fetchval("SELECT count(*) FROM stock_levels WHERE available = 0") <= 25
    assert (
        5 <= await sql.fetchval("SELECT count(*) FROM stock_levels WHERE available BETWEEN 1 AND reorder_point") <= 40
    )
    assert await sql.fetchval("SELECT count(*) FROM orders") == 150
    assert {row["status"] for row in await sql.fetch("SELECT DISTINCT status FROM orders")} == {
        "confirmed",
        "processing",
        "completed",
        "cancelled",
        "expired",
    }
    last_event = await sql.fetchval("SELECT max(created_at) FROM order_events")
    assert await sql.fetchval("SELECT min(placed_at) FROM orders") < last_event <= NOON
    assert await sql.fetchval("SELECT nextval('order_numbers')") == 1150


async def test_everybody_can_sign_in(own_settings: Settings, sql: "Connection[Any]") -> None:
    await seed_shop(own_settings, SMALL, NOON)

    accounts = await sql.fetch("SELECT email::text, role, password_hash, email_verified_at FROM users")
    by_email = {account["email"]: account for account in accounts}
    hasher = PasswordHasher()
    for role in Role:
        account = by_email[f"{role}@example.com"]
        assert account["role"] == role
        assert account["email_verified_at"]
        assert await hasher.verify(DEMO_PASSWORD, account["password_hash"])
    hasher.close()
    assert sum(account["role"] == Role.CUSTOMER for account in accounts) == 21


async def test_the_stock_audit_finds_nothing(own_settings: Settings, sql: "Connection[Any]") -> None:
    await seed_shop(own_settings, Size(products=40, orders=600), NOON)

    async with Database.connected(own_settings) as database, database.snapshot() as tx:
        assert await tx.inventory.discrepancies() == []
    ledger = "SELECT variant_id, sum(reserved_delta) AS reserved FROM stock_movements GROUP BY variant_id"
    assert (
        await sql.fetchval(
            f"SELECT count(*) FROM stock_levels JOIN ({ledger}) AS ledger USING (variant_id)"  # noqa: S608  # constant
            " WHERE stock_levels.reserved <> ledger.reserved"
        )
        == 0
    )
    assert await sql.fetchval("SELECT sum(reserved) FROM stock_levels") > 0
    assert await sql.fetchval("SELECT count(*) FROM stock_movements WHERE reason = 'restocked'") > 0


async def test_the_warehouse_finds_something_in_its_lists(own_settings: Settings, sql: "Connection[Any]") -> None:
    await seed_shop(own_settings, SMALL, NOON)

    by_hand = await sql.fetch(
        "SELECT reason, count(*) AS movements, count(DISTINCT adjustment_id) AS adjustments FROM stock_movements"
        " JOIN users ON users.id = actor_id WHERE email = 'warehouse@example.com' GROUP BY reason ORDER BY reason"
    )
    assert [tuple(row) for row in by_hand] == [
        ("counted", 4, 1),
        ("damaged", 2, 2),
        ("lost", 1, 1),
        ("promotion", 1, 1),
        ("received", 3, 1),
        ("returned", 1, 1),
    ]
    assert await sql.fetchval("SELECT max(created_at) FROM stock_movements") <= NOON


async def test_orders_contain_the_tax_of_the_country_they_went_to(
    own_settings: Settings, sql: "Connection[Any]"
) -> None:
    await seed_shop(own_settings, Size(orders=100), NOON)

    orders = await sql.fetch(
        "SELECT o.tax_total, o.shipping_total, o.subtotal, o.grand_total, rate, sum(line.tax)::bigint AS line_tax,"
        " sum(line.total)::bigint AS line_total, bool_or(line.tax_rate <> rate) AS mixed"
        " FROM orders AS o JOIN order_lines AS line ON line.order_id = o.id"
        " JOIN tax_rates ON country = o.shipping_address->>'country' AND tax_class = 'standard'"
        " GROUP BY o.id, rate"
    )
    assert len(orders) == 100
    for order in orders:
        assert order["subtotal"] == order["line_total"]
        assert order["grand_total"] == order["subtotal"] + order["shipping_total"]
        assert order["tax_total"] == order["line_tax"] + included_tax(order["shipping_total"], order["rate"])
        assert order["shipping_total"] in ({0, 990} if order["subtotal"] >= 5000 else {490, 990})
    assert any(order["mixed"] for order in orders), "no book, at the reduced rate, was ever bought"


async def test_money_was_taken_for_paid_orders_only(own_settings: Settings, sql: "Connection[Any]") -> None:
    await seed_shop(own_settings, Size(orders=150), NOON)

    wrong = await sql.fetchval(
        "SELECT count(*) FROM orders AS o LEFT JOIN payments AS p ON p.order_id = o.id"
        " LEFT JOIN refunds AS r ON r.payment_id = p.id"
        " WHERE p.amount IS DISTINCT FROM o.grand_total"
        " OR p.amount_captured <> CASE WHEN o.payment_status IN ('paid', 'refunded') THEN o.grand_total ELSE 0 END"
        " OR p.amount_refunded <> CASE WHEN o.payment_status = 'refunded' THEN o.grand_total ELSE 0 END"
        " OR coalesce(r.amount, 0) <> p.amount_refunded"
    )
    assert wrong == 0


async def test_every_picture_is_in_the_store(own_settings: Settings, sql: "Connection[Any]") -> None:
    await seed_shop(own_settings, Size(products=200, orders=0), NOON)

    store = MediaStore(own_settings.media_store)
    pictures = await sql.fetch("SELECT DISTINCT key, width, height, renditions FROM product_media")
    assert len(pictures) >= 89
    for row in pictures:
        sizes = [dict(row), *json.loads(row["renditions"])]
        assert [size["width"] for size in sizes] == [480, 320]
        for size in sizes:
            stored = await store.get(size["key"])
            assert stored is not None
            assert opened(await stored.read()).size == (size["width"], size["height"])
    assert await sql.fetchval("SELECT count(*) FROM product_media") > 200
    assert await sql.fetchval("SELECT bool_and(alt <> '') FROM product_media")


async def test_the_same_size_gives_the_same_shop(own_settings: Settings, sql: "Connection[Any]") -> None:
    await seed_shop(own_settings, SMALL, NOON)
    first = await everything_in(sql)
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    await sql.execute(f"TRUNCATE {tables}")

    await seed_shop(own_settings, SMALL, NOON)

    assert await everything_in(sql) == first
    assert first["orders"]


async def test_a_filled_shop_is_left_alone(
    own_settings: Settings, sql: "Connection[Any]", capsys: pytest.CaptureFixture[str]
) -> None:
    await seed_shop(own_settings, SMALL, NOON)
    before = await everything_in(sql)
    capsys.readouterr()

    assert await seed_shop(own_settings, Size(), NOON) is False

    assert "Already seeded" in capsys.readouterr().err
    assert await everything_in(sql) == before


async def test_it_scales_by_editions(own_settings: Settings, sql: "Connection[Any]") -> None:
    await seed_shop(own_settings, Size(products=400, orders=0), NOON)

    assert await sql.fetchval("SELECT count(*) FROM products") == 400
    assert await sql.fetchval("SELECT count(DISTINCT name) FROM products") == 400
    assert await sql.fetchval("SELECT count(DISTINCT price_amount) > 100 FROM variants")
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0


async def test_production_is_refused(own_settings: Settings, sql: "Connection[Any]") -> None:
    production = own_settings.model_copy(update={"environment": Environment.PRODUCTION})

    with pytest.raises(SeedRefused, match="Not in production"):
        await seed_shop(production, SMALL, NOON)

    assert await sql.fetchval("SELECT count(*) FROM users") == 0
