"""A new key, while the shop runs and whatever happens on the way: nothing is lost, and the old key can go."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select, text

from app.core.encryption import KeyRing, UnknownKey
from app.core.ids import uuid7
from app.database import Database, driver_url
from app.models.addresses import SavedAddress
from app.models.base import table_of
from app.models.orders import Order
from app.models.users import User
from app.repositories.encrypted_columns import encrypted_tables
from app.schemas.carts import Address, CartLineCreate
from app.schemas.orders import OrderCreate
from app.services.key_rotation import ROWS_AT_ONCE, rotate
from app.services.principals import Shopper
from app.settings import Settings
from app.shop import open_shop
from tests.support.people import PHONE
from tests.support.processes import eventually, running
from tests.support.shopping import ADDRESS, add_delivery, add_product, signed_in

OLD, NEW = "the key of last year of 32 bytes and more", "the key of this year of 32 bytes and more"
ROWS = 3 * ROWS_AT_ONCE


@pytest.fixture
def old_shop(settings: Settings, fresh_database_url: str) -> Settings:
    """A shop that knows the old key only."""
    return settings.model_copy(update={"database_url": SecretStr(fresh_database_url)} | ring(OLD))


def ring(*keys: str) -> dict[str, Any]:
    return {"encryption_keys": tuple(SecretStr(key) for key in keys)}


async def keep_addresses(settings: Settings, count: int) -> None:
    async with open_shop(settings) as shop:
        await signed_in(shop)
        async with shop.database.transaction() as tx:
            [user] = (await tx.session.execute(select(User))).scalars()
            user.phone = PHONE
            kept = {**ADDRESS, "user_id": user.id, "phone": PHONE}
            await tx.session.execute(insert(table_of(SavedAddress)), [{**kept, "id": uuid7()} for _ in range(count)])


async def keys_in_use(settings: Settings, column: str = "line1", table: str = "addresses") -> dict[str, int]:
    """How many values each key has encrypted, by the key's id."""
    async with Database.connected(settings) as database, database.snapshot() as tx:
        counted = await tx.session.execute(
            text(f"SELECT split_part({column}, '.', 2), count(*) FROM {table} GROUP BY 1")  # noqa: S608
        )
        return {str(key): int(count) for key, count in counted}


async def all_phones(settings: Settings) -> set[str | None]:
    async with Database.connected(settings) as database, database.snapshot() as tx:
        return set((await tx.session.execute(select(SavedAddress.phone))).scalars())


async def test_after_a_rotation_the_old_key_can_go(old_shop: Settings) -> None:
    await keep_addresses(old_shop, ROWS)
    both, new = old_shop.model_copy(update=ring(NEW, OLD)), old_shop.model_copy(update=ring(NEW))
    told: list[str] = []

    assert await all_phones(both) == {PHONE}
    with pytest.raises(UnknownKey):
        await all_phones(new)
    await rotate(both, told.append)

    assert await keys_in_use(new) == {KeyRing([NEW]).current: ROWS}
    assert await all_phones(new) == {PHONE}
    assert told[-1].startswith(f"{ROWS * 2 + 1} values")  # a line and a phone each, and the account's phone
    told.clear()
    await rotate(new, told.append)
    assert told == [f"0 values are encrypted with key {KeyRing([NEW]).current} now."]


async def test_killed_in_the_middle_it_goes_on_where_it_was(old_shop: Settings, tmp_path: Path) -> None:
    await keep_addresses(old_shop, ROWS)
    both = old_shop.model_copy(update=ring(NEW, OLD))

    async def halfway() -> bool:
        return len(await keys_in_use(both)) == 2

    holding = await asyncpg.connect(driver_url(both))  # for as long as it takes another process to start
    async with holding.transaction():
        # The rotation waits for this row, in its third batch.
        await holding.execute("SELECT FROM addresses ORDER BY id DESC LIMIT 1 FOR UPDATE")
        with running(("app.cli", "keys", "rotate"), both, tmp_path) as rotation:
            await eventually(halfway)
            rotation.kill()
    await holding.close()

    used = await keys_in_use(both)
    assert used[KeyRing([NEW]).current] >= ROWS_AT_ONCE
    assert used[KeyRing([OLD]).current] >= ROWS_AT_ONCE
    assert await all_phones(both) == {PHONE}
    await rotate(both, lambda _: None)
    assert await keys_in_use(both) == {KeyRing([NEW]).current: ROWS}
    assert await all_phones(old_shop.model_copy(update=ring(NEW))) == {PHONE}


async def test_what_orders_and_carts_hold_in_clear_text_is_encrypted(old_shop: Settings) -> None:
    async with open_shop(old_shop) as shop:
        await add_delivery(shop.database)
        mug = await add_product(shop.database)
        shopper = Shopper(cart_token=(await shop.carts.add_line(Shopper(), CartLineCreate(variant_id=mug.id))).token)
        order = OrderCreate(email="ada@example.com", shipping_address=Address.model_validate(ADDRESS))
        await shop.orders.place(shopper, order, "key")
        opened = await shop.carts.add_line(Shopper(), CartLineCreate(variant_id=mug.id))
        async with shop.database.transaction() as tx:
            for table in ("carts", "orders"):
                await tx.session.execute(
                    text(f"UPDATE {table} SET shipping_address = CAST(:clear AS jsonb)"),  # noqa: S608
                    {"clear": Address.model_validate(ADDRESS).model_dump_json()},
                )
            before = (await tx.session.execute(select(Order.version, Order.updated_at))).one()

    new = old_shop.model_copy(update=ring(NEW))
    await rotate(old_shop.model_copy(update=ring(NEW, OLD)), lambda _: None)

    async with open_shop(new) as shop:
        async with shop.database.snapshot() as tx:
            rows = await tx.session.execute(
                text("SELECT shipping_address FROM carts UNION ALL SELECT shipping_address FROM orders")
            )
            stored = list(rows.scalars())
            [kept] = (await tx.session.execute(select(Order))).scalars()
        cart = await shop.carts.get(Shopper(cart_token=opened.token))
        again = await shop.orders.place(shopper, order, "key")
    assert {frozenset(address) for address in stored} == {frozenset({"country", "sealed"})}
    assert kept.shipping_address["line1"] == ADDRESS["line1"]
    assert (kept.version, kept.updated_at) == tuple(before)
    assert cart.shipping.address is not None
    assert cart.shipping.address.line1 == ADDRESS["line1"]
    assert (again.replayed, again.content["shipping_address"]["line1"]) == (True, ADDRESS["line1"])


async def test_what_is_written_meanwhile_is_not_lost(old_shop: Settings) -> None:
    """Somebody changes an address that the rotation is about to encrypt anew, with what it has not read."""
    await keep_addresses(old_shop, 1)
    both = old_shop.model_copy(update=ring(NEW, OLD))

    async with Database.connected(both) as database:
        async with database.transaction() as tx:
            [address] = (await tx.session.execute(select(SavedAddress))).scalars()
            address.line1 = "Changed meanwhile 1"
            await tx.session.flush()
            rotating = asyncio.create_task(rotate(both, lambda _: None))
            await waits_for_a_lock(database)
        await rotating
        async with database.snapshot() as tx:
            [kept] = (await tx.session.execute(select(SavedAddress))).scalars()

    assert (kept.line1, kept.phone) == ("Changed meanwhile 1", PHONE)
    assert await keys_in_use(both, "phone") == {KeyRing([NEW]).current: 1}


async def waits_for_a_lock(database: Database) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    async def look() -> int:
        async with database.snapshot() as tx:
            return int((await tx.session.execute(waiting)).scalar_one())

    await eventually(look)


def test_it_knows_every_encrypted_column() -> None:
    assert {table.name for table in encrypted_tables()} >= {
        "addresses",
        "carts",
        "idempotency_keys",
        "job_results",
        "orders",
        "users",
    }
