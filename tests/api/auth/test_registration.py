"""Opening an account, without telling who has one."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.timing import STEP
from app.database import Database
from app.models.platform import AuditEntry, OutboxEvent
from app.models.users import Role, User, UserSession
from app.shop import Shop
from tests.support.accounts import ADA, API, Json, all_of, change, code, events, register, sign_in
from tests.support.statements import count_statements


async def test_an_account_waits_for_the_confirmation_of_its_address(
    client: httpx.AsyncClient, database: Database
) -> None:
    response = await register(client, email=" Ada@Example.COM ")

    assert response.status_code == 202
    (user,) = await all_of(database, select(User))
    assert (user.email, user.full_name, user.role) == ("ada@example.com", "Ada Lovelace", Role.CUSTOMER)
    assert user.email_verified_at is None
    assert user.password_hash.startswith("$argon2id$")
    (event,) = await all_of(database, select(OutboxEvent))
    assert (event.type, event.aggregate_id, event.payload) == ("customer.registered", user.id, {})
    refused = await sign_in(client)
    assert (refused.status_code, code(refused)) == (401, "email_not_verified")
    assert await all_of(database, select(UserSession)) == []


async def test_the_answer_does_not_tell_whether_the_address_is_taken(
    client: httpx.AsyncClient, database: Database
) -> None:
    first = await register(client)
    again = await register(client, email="ADA@example.com", full_name="Eve", password="another password")
    await change(database, User, email_verified_at=func.now())
    later = await register(client)

    assert first.content == again.content == later.content
    assert first.status_code == again.status_code == later.status_code == 202
    (user,) = await all_of(database, select(User))
    assert user.full_name == "Ada Lovelace"
    assert (await sign_in(client)).status_code == 200
    assert await events(database) == [
        "customer.registered",
        "customer.verification_requested",
        "customer.registered_again",
    ]


async def test_an_address_that_is_taken_takes_the_same_work(
    client: httpx.AsyncClient, connection: AsyncConnection, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    hash_it = shop.passwords.hash

    async def noted(password: str) -> str:
        hashed.append(password)
        return await hash_it(password)

    monkeypatch.setattr(shop.passwords, "hash", noted)
    with count_statements(connection) as for_new:
        await register(client)
    with count_statements(connection) as for_taken:
        await register(client)

    assert for_new == for_taken
    assert hashed == [ADA["password"]] * 2


async def test_every_answer_takes_a_whole_step_of_time(client: httpx.AsyncClient) -> None:
    new, taken = await register(client), await register(client)

    assert new.elapsed >= timedelta(seconds=STEP)
    assert taken.elapsed >= timedelta(seconds=STEP)


async def test_the_audit_log_has_the_account_without_its_secret(client: httpx.AsyncClient, database: Database) -> None:
    response = await register(client)

    (entry,) = await all_of(database, select(AuditEntry))
    assert (entry.entity, entry.action, entry.request_id) == ("users", "insert", response.headers["x-request-id"])
    assert entry.new["email"] == "ada@example.com"
    assert "password_hash" not in entry.new


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"password": "1234567"}, "/password"),
        ({"password": "x" * 257}, "/password"),
        ({"password": "12345678\x00"}, "/password"),
        ({"password": 12345678}, "/password"),
        ({"email": "no address"}, "/email"),
        ({"email": "ada@example.com\x00"}, "/email"),
        ({"email": None}, "/email"),
        ({"full_name": "   "}, "/full_name"),
        ({"full_name": "A\x00"}, "/full_name"),
        ({"role": "admin"}, "/role"),
    ],
)
async def test_a_body_that_is_not_right_creates_nothing(
    client: httpx.AsyncClient, database: Database, changes: Json, pointer: str
) -> None:
    response = await register(client, **changes)

    assert (response.status_code, code(response)) == (422, "validation_failed")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert str(changes.get("password", "never")) not in response.text
    assert await all_of(database, select(User)) == []


@pytest.mark.parametrize("field", ["email", "password", "full_name"])
async def test_half_a_character_is_refused(client: httpx.AsyncClient, field: str) -> None:
    body = '{"email":"a@example.com","password":"long enough","full_name":"Ada"}'
    broken = body.replace(f'"{field}":"', f'"{field}":"\\ud800')

    response = await client.post(f"{API}/auth/register", content=broken, headers={"Content-Type": "application/json"})

    assert response.status_code in (400, 422)


@pytest.mark.usefixtures("ada")
async def test_a_password_counts_exactly_as_sent(client: httpx.AsyncClient) -> None:
    assert (await sign_in(client, ADA["password"].strip())).status_code == 401
    assert (await sign_in(client, ADA["password"])).status_code == 200
