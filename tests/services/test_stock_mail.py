"""The warehouse hears by mail that something is to be ordered again: once for each time that it runs low."""

from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models.platform import EmailLog
from app.models.products import Product, Variant, VariantStatus
from app.models.users import Role, User, UserStatus
from app.shop import Shop
from tests.support.accounts import all_of, change
from tests.support.outbox import deliver, publish_unprocessed_again
from tests.support.sandbox import RunningSandbox
from tests.support.shopping import add_delivery, add_product, place, signed_in
from tests.support.warehouse import Headers, adjust, item, tune


async def employ(database: Database, role: Role = Role.WAREHOUSE, status: UserStatus = UserStatus.ACTIVE) -> str:
    """Somebody's address, which no other test writes to."""
    address = f"{uuid4().hex}@example.com"
    async with database.transaction() as tx:
        await tx.users.add(User(email=address, password_hash="none", full_name="Walter", role=role, status=status))
    return address


@pytest.fixture
async def boss(shop: Shop) -> Headers:
    """Gives orders to the warehouse without being one of its staff."""
    return await signed_in(shop, Role.ADMIN)


@pytest.fixture
async def mug(client: httpx.AsyncClient, database: Database, boss: Headers) -> Variant:
    """Two of five are sold, so it is time to order again."""
    await add_delivery(database)
    mug = await add_product(database, stock=5)
    await change(database, Product, name="Mug <b>& saucer</b>")
    await tune(client, boss, mug, reorder_point=3)
    await place(client, (mug, 2))
    return mug


async def test_all_of_the_warehouse_and_nobody_else(
    shop: Shop, database: Database, sandbox: RunningSandbox, mug: Variant
) -> None:
    walter, wendy = await employ(database), await employ(database)
    others = [await employ(database, status=UserStatus.DISABLED), await employ(database, Role.SUPPORT)]

    await deliver(shop)

    (mail,) = await sandbox.mails_to(walter)
    assert await sandbox.mails_to(wendy) == [mail]
    assert [await sandbox.mails_to(other) for other in others] == [[], []]
    assert mail["subject"] == f"{mug.sku} is running low"
    assert mail["text"].splitlines()[0] == "Mug <b>& saucer</b> is to be ordered again."
    assert mail["text"].splitlines()[2:] == [
        f"SKU: {mug.sku}",
        "On hand: 5",
        "Reserved for orders: 2",
        "Available: 3",
        "Order again at: 3",
    ]
    assert "Mug &lt;b&gt;&amp; saucer&lt;/b&gt;" in mail["html"]


async def test_once_for_each_time(
    client: httpx.AsyncClient,
    shop: Shop,
    database: Database,
    sandbox: RunningSandbox,
    boss: Headers,
    mug: Variant,
) -> None:
    walter = await employ(database)
    await deliver(shop)
    await adjust(client, boss, item(mug, delta=-1))  # lower still
    await publish_unprocessed_again(shop)
    await deliver(shop)
    assert len(await sandbox.mails_to(walter)) == 1

    for delta in (5, -5):
        await adjust(client, boss, item(mug, delta=delta))
    await deliver(shop)
    assert len(await sandbox.mails_to(walter)) == 2


@pytest.mark.parametrize("meanwhile", ["filled up", "archived"])
async def test_nobody_is_asked_to_order_what_is_no_longer_wanted(
    client: httpx.AsyncClient,
    shop: Shop,
    database: Database,
    sandbox: RunningSandbox,
    boss: Headers,
    mug: Variant,
    meanwhile: str,
) -> None:
    walter = await employ(database)
    if meanwhile == "archived":
        await change(database, Variant, status=VariantStatus.ARCHIVED)
    else:
        await adjust(client, boss, item(mug, delta=1))

    assert await deliver(shop) == []

    assert await sandbox.mails_to(walter) == []
    (log,) = await all_of(database, select(EmailLog))
    assert (log.template, log.sent_at is None) == ("stock_low", False)


async def test_a_shop_without_a_warehouse(shop: Shop, database: Database, mug: Variant) -> None:
    assert await deliver(shop) == []

    (log,) = await all_of(database, select(EmailLog))
    assert log.sent_at is not None
