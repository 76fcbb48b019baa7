"""What the database does by itself: it audits people's accounts, and keeps its ledgers append-only."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.database import Database
from app.models.platform import AuditEntry
from app.models.users import User
from app.shop import Shop
from tests.support.accounts import API, all_of
from tests.support.shopping import add_delivery, add_product, place, signed_in

SECRET = "a hash that nobody else may see"


async def entries(database: Database) -> list[Any]:
    return await all_of(database, select(AuditEntry).order_by(AuditEntry.position))


async def run(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text(statement))


@pytest.fixture
async def customer(database: Database) -> UUID:
    user = User(email="ada@example.com", password_hash=SECRET, full_name="Ada")
    async with database.transaction() as tx:
        await tx.users.add(user)
    return user.id


async def test_a_change_by_raw_sql_is_audited(database: Database, customer: UUID) -> None:
    await run(database, "UPDATE users SET full_name = 'Eve', role = 'admin', password_hash = password_hash || '!'")

    created, changed = await entries(database)
    assert (created.action, created.old, created.new["full_name"]) == ("insert", None, "Ada")
    assert (changed.action, changed.entity, changed.entity_id) == ("update", "users", customer)
    assert changed.changed == ["full_name", "role"]
    assert (changed.old["role"], changed.new["role"]) == ("customer", "admin")
    assert (changed.actor_id, changed.request_id) == (None, None)


async def test_a_deletion_leaves_its_entry(database: Database, customer: UUID) -> None:
    await run(database, "DELETE FROM users")

    deleted = (await entries(database))[-1]
    assert (deleted.action, deleted.old["full_name"], deleted.new) == ("delete", "Ada", None)


async def test_no_entry_holds_a_password(database: Database, customer: UUID) -> None:
    await run(database, "UPDATE users SET password_hash = password_hash || '!', full_name = 'Eve'")
    await run(database, "DELETE FROM users")

    async with database.snapshot() as tx:
        written = (await tx.session.execute(text("SELECT audit_log::text FROM audit_log"))).scalars().all()
    assert len(written) == 3
    assert not [entry for entry in written if SECRET in entry or "password_hash" in entry]


async def test_a_change_through_the_api_says_who_and_in_which_request(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    customer = await signed_in(shop)
    (user,) = await all_of(database, select(User))

    changed = await client.patch(
        f"{API}/users/me",
        json={"full_name": "Countess Lovelace"},
        headers=customer | {"X-Request-ID": "request-of-ada", "If-Match": f'"v{user.version}"'},
    )

    assert changed.status_code == 200, changed.text
    entry = (await entries(database))[-1]
    assert (entry.actor_id, entry.request_id) == (str(user.id), "request-of-ada")
    assert (entry.old["full_name"], entry.new["full_name"]) == ("Ada", "Countess Lovelace")


async def test_a_change_that_is_rolled_back_leaves_no_entry(database: Database, customer: UUID) -> None:
    with pytest.raises(IntegrityError):
        await run(database, "UPDATE users SET full_name = 'Eve', role = 'emperor'")

    assert [entry.action for entry in await entries(database)] == ["insert"]


@pytest.mark.parametrize("table", ["audit_log", "order_events", "stock_movements"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET created_at = now() - interval '1 day'"])
async def test_history_cannot_be_rewritten(
    client: httpx.AsyncClient, database: Database, customer: UUID, table: str, change: str
) -> None:
    await add_delivery(database)
    await place(client, (await add_product(database), 1))

    with pytest.raises(IntegrityError, match=f"{table} is append-only"):
        await run(database, change.format(table))
