"""Somebody deletes their account: they are forgotten, and the books stay."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.clock import now
from app.database import Database
from app.models.orders import Order, OrderStatus, PaymentStatus
from app.models.platform import AuditEntry
from app.models.products import Variant
from app.models.users import Role, User, UserSession, UserStatus
from app.shop import Shop
from tests.support.accounts import ADA, all_of, bearer, change, code, register, sign_in
from tests.support.outbox import deliver
from tests.support.people import PHONE, keep
from tests.support.rows import rows
from tests.support.shopping import ADDRESS, API, add, add_delivery, add_product, keyed, signed_in

ME = f"{API}/users/me"
PASSWORD = {"password": ADA["password"]}


@pytest.fixture
async def account(client: httpx.AsyncClient, database: Database) -> dict[str, str]:
    """Ada has registered with a password, and signed in a while ago."""
    await register(client)
    await change(database, User, email_verified_at=now())
    headers = bearer((await sign_in(client)).json()["access_token"])
    await change(database, UserSession, created_at=now() - timedelta(hours=1))
    return headers


@pytest.fixture
async def mug(database: Database) -> Variant:
    """For sale, and sent anywhere."""
    await add_delivery(database)
    return await add_product(database)


async def delete(client: httpx.AsyncClient, person: dict[str, str], body: Any = None) -> httpx.Response:
    return await client.request("DELETE", ME, json=body, headers=person)


async def settle(database: Database, status: OrderStatus, payment_status: PaymentStatus) -> None:
    """Every order has come to this."""
    async with database.transaction() as tx:
        await tx.session.execute(update(Order).values(status=status, payment_status=payment_status))


async def order_of(client: httpx.AsyncClient, person: dict[str, str], mug: Variant) -> dict[str, Any]:
    await keep(client, person, phone=PHONE)
    await add(client, person, mug)
    placed = await client.post(f"{API}/orders", json={"notes": "Ring twice"}, headers=keyed(person))
    assert placed.status_code == 201, placed.text
    order: dict[str, Any] = placed.json()
    return order


async def test_nothing_of_the_person_is_left(
    client: httpx.AsyncClient,
    connection: AsyncConnection,
    database: Database,
    shop: Shop,
    account: dict[str, str],
    mug: Variant,
) -> None:
    await client.patch(ME, json={"phone": PHONE}, headers=account | {"If-Match": '"v1"'})
    await order_of(client, account, mug)
    await add(client, account, mug)
    await settle(database, OrderStatus.EXPIRED, PaymentStatus.PENDING)

    deleted = await delete(client, account, PASSWORD)
    await deliver(shop)

    assert deleted.status_code == 202
    [user] = await all_of(database, select(User))
    assert (user.full_name, user.status, user.phone) == ("Anonymous", UserStatus.ANONYMISED, None)
    for table in await all_tables(connection):
        for stored in (await connection.execute(text(f"SELECT to_jsonb({table})::text FROM {table}"))).scalars():  # noqa: S608
            for personal in ("Lovelace", "ada@example.com", "Unter den Linden", PHONE, "Ring twice"):
                assert personal not in stored, (table, stored)
    for empty in ("sessions", "addresses", "one_time_tokens", "idempotency_keys"):
        assert (await connection.execute(text(f"SELECT count(*) FROM {empty}"))).scalar_one() == 0, empty  # noqa: S608
    [order] = await all_of(database, select(Order))
    assert order.shipping_address == order.billing_address
    assert (order.shipping_address["full_name"], order.shipping_address["line1"]) == ("Anonymous", "-")
    assert (order.shipping_address["postal_code"], order.shipping_address["country"]) == ("10117", "DE")
    assert (order.notes, order.email) == (None, f"{user.id}@anonymised.invalid")


async def all_tables(connection: AsyncConnection) -> list[str]:
    found = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    return [name for name in found.scalars() if name != "alembic_version"]


async def test_they_are_signed_out_and_cannot_sign_in(client: httpx.AsyncClient, account: dict[str, str]) -> None:
    await delete(client, account, PASSWORD)

    again = await client.get(ME, headers=account)
    refused = await sign_in(client)

    assert (again.status_code, code(again)) == (401, "invalid_token")
    assert (refused.status_code, code(refused)) == (401, "invalid_credentials")


async def test_the_address_is_free_again(
    client: httpx.AsyncClient, database: Database, account: dict[str, str]
) -> None:
    await delete(client, account, PASSWORD)

    await register(client)

    living = select(func.count()).select_from(User).where(User.email == ADA["email"])
    assert await all_of(database, living) == [1]


async def test_it_takes_the_password_or_a_fresh_sign_in(
    client: httpx.AsyncClient, database: Database, account: dict[str, str]
) -> None:
    before = await rows(database)
    stale = await delete(client, account)
    unchanged = await rows(database)
    wrong = await delete(client, account, {"password": "not the password"})
    await change(database, UserSession, created_at=now() - timedelta(minutes=4))
    fresh = await delete(client, account)

    assert (stale.status_code, code(stale)) == (403, "reauthentication_required")
    assert (wrong.status_code, code(wrong)) == (403, "wrong_password")
    assert before == unchanged
    assert fresh.status_code == 202


async def test_of_a_sold_order_the_invoice_stays_and_no_more(
    client: httpx.AsyncClient, database: Database, shop: Shop, account: dict[str, str], mug: Variant
) -> None:
    await order_of(client, account, mug)
    await settle(database, OrderStatus.COMPLETED, PaymentStatus.PAID)

    await delete(client, account, PASSWORD)
    await deliver(shop)

    [order] = await all_of(database, select(Order))
    assert (order.billing_address["full_name"], order.billing_address["line1"]) == ("Ada Lovelace", ADDRESS["line1"])
    assert order.billing_address["phone"] is None
    assert order.shipping_address["line1"] == "-"
    assert order.grand_total > 0


async def test_an_order_on_its_way_keeps_its_address_until_it_is_over(
    client: httpx.AsyncClient, database: Database, shop: Shop, account: dict[str, str], mug: Variant
) -> None:
    await order_of(client, account, mug)
    await settle(database, OrderStatus.PROCESSING, PaymentStatus.PAID)

    await delete(client, account, PASSWORD)
    await deliver(shop)
    [underway] = await all_of(database, select(Order))
    await settle(database, OrderStatus.COMPLETED, PaymentStatus.PAID)
    tidied = [await shop.account_deletion.tidy_up(), await shop.account_deletion.tidy_up()]
    [over] = await all_of(database, select(Order))

    assert (underway.shipping_address["line1"], underway.email) == (ADDRESS["line1"], ADA["email"])
    assert over.shipping_address["line1"] == "-"
    assert tidied == [1, 0]


async def test_reviews_stay_without_a_name(client: httpx.AsyncClient, account: dict[str, str], mug: Variant) -> None:
    reviews = f"{API}/products/{mug.product_id}/reviews"
    await client.post(reviews, json={"rating": 4, "title": "Still here"}, headers=account)
    before = (await client.get(reviews)).json()["data"]

    await delete(client, account, PASSWORD)

    after = (await client.get(reviews)).json()["data"]
    assert [(review["title"], review["author"]) for review in before] == [("Still here", "Ada L.")]
    assert [(review["title"], review["author"]) for review in after] == [("Still here", "Anonymous")]


async def test_the_log_still_says_what_happened_but_not_to_whom(
    client: httpx.AsyncClient, database: Database, account: dict[str, str]
) -> None:
    before = await all_of(database, select(AuditEntry.position).order_by(AuditEntry.position))
    await delete(client, account, PASSWORD)

    entries = await all_of(database, select(AuditEntry).order_by(AuditEntry.position))
    assert [entry.position for entry in entries[:-1]] == before
    assert {"status", "full_name", "email"} <= set(entries[-1].changed)
    assert (entries[-1].old["status"], entries[-1].new["status"]) == ("active", "anonymised")
    assert not [key for entry in entries for side in (entry.old, entry.new) for key in side or {} if key == "email"]


@pytest.mark.parametrize(
    "change_of_the_log",
    [
        'UPDATE audit_log SET new = new || \'{"role": "admin"}\'',
        "UPDATE audit_log SET actor_id = 'somebody else'",
        "UPDATE audit_log SET new = new - 'role'",
        "DELETE FROM audit_log",
    ],
)
async def test_the_log_forgets_nothing_else(
    connection: AsyncConnection, account: dict[str, str], change_of_the_log: str
) -> None:
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None

    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        async with driver.transaction():
            await driver.execute(change_of_the_log)


async def test_the_last_admin_cannot_leave(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    admin = await signed_in(shop, Role.ADMIN)

    refused = await delete(client, admin)
    await signed_in(shop, Role.ADMIN)
    left = await delete(client, admin)

    assert (refused.status_code, code(refused)) == (409, "last_admin")
    assert left.status_code == 202
    assert len(await all_of(database, select(User.id).where(User.role == Role.ADMIN))) == 1


async def test_a_deleted_account_stays_deleted(client: httpx.AsyncClient, shop: Shop, database: Database) -> None:
    person, admin = await signed_in(shop), await signed_in(shop, Role.ADMIN)
    account = (await client.get(ME, headers=person)).json()
    await delete(client, person)
    version = (await all_of(database, select(User.version).where(User.id == UUID(account["id"]))))[0]

    refused = await client.patch(
        f"{API}/users/{account['id']}", json={"status": "active"}, headers=admin | {"If-Match": f'"v{version}"'}
    )

    assert (refused.status_code, code(refused)) == (409, "account_deleted")
