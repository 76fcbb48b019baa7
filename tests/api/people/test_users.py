"""Accounts in the hands of staff."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.platform import AuditEntry
from app.models.users import Role, User
from app.shop import Shop
from tests.support.accounts import all_of, code
from tests.support.people import PHONE
from tests.support.shopping import API, signed_in
from tests.support.statements import count_statements

USERS = f"{API}/users"


@pytest.fixture
async def admin(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.ADMIN)


async def account_of(client: httpx.AsyncClient, person: dict[str, str]) -> dict[str, Any]:
    shown = await client.get(f"{USERS}/me", headers=person)
    assert shown.status_code == 200, shown.text
    account: dict[str, Any] = shown.json()
    return account


async def change(
    client: httpx.AsyncClient, admin: dict[str, str], account: dict[str, Any], **changes: Any
) -> httpx.Response:
    headers = admin | {"If-Match": f'"v{account["version"]}"'}
    return await client.patch(f"{USERS}/{account['id']}", json=changes, headers=headers)


async def test_a_phone_number_is_kept_encrypted_and_out_of_the_audit_log(
    client: httpx.AsyncClient, connection: AsyncConnection, ada: dict[str, str]
) -> None:
    changed = await client.patch(f"{USERS}/me", json={"phone": PHONE}, headers=ada | {"If-Match": '"v1"'})

    assert (changed.status_code, changed.json()["phone"], changed.json()["full_name"]) == (200, PHONE, "Ada")
    stored = await connection.execute(text("SELECT phone FROM users WHERE phone IS NOT NULL"))
    assert stored.scalar_one().startswith("v1.")
    log = await connection.execute(text("SELECT string_agg(to_jsonb(audit_log)::text, '') FROM audit_log"))
    assert '"phone"' not in log.scalar_one()


async def test_support_finds_accounts_and_only_admins_decide_on_them(
    client: httpx.AsyncClient, shop: Shop, ada: dict[str, str]
) -> None:
    account = await account_of(client, ada)
    support = await signed_in(shop, Role.SUPPORT)

    found = await client.get(USERS, params={"q": account["email"].upper()}, headers=support)
    shown = await client.get(f"{USERS}/{account['id']}", headers=support)
    changed = await change(client, support, account, role="admin")

    assert [row["id"] for row in found.json()["data"]] == [account["id"]]
    assert found.json()["data"][0].keys() == (account.keys() - {"phone"}) | {"status"}
    assert (shown.status_code, changed.status_code) == (403, 403)
    assert (await account_of(client, ada))["role"] == "customer"


@pytest.mark.parametrize("role", [None, Role.CUSTOMER, Role.CATALOG, Role.WAREHOUSE, Role.ANALYST])
async def test_nobody_else_sees_other_accounts(client: httpx.AsyncClient, shop: Shop, role: Role | None) -> None:
    headers = await signed_in(shop, role) if role else {}
    other = await account_of(client, await signed_in(shop))

    answers = [
        await client.get(USERS, headers=headers),
        await client.get(f"{USERS}/{other['id']}", headers=headers),
        await change(client, headers, other, role="admin"),
    ]

    assert {answer.status_code for answer in answers} == {403 if role else 401}
    assert not [answer for answer in answers if other["email"] in answer.text]


async def test_accounts_are_listed_page_by_page(client: httpx.AsyncClient, shop: Shop, admin: dict[str, str]) -> None:
    newest_first = [(await account_of(client, await signed_in(shop)))["id"] for _ in range(5)][::-1]

    async def pages(**query: str) -> list[str]:
        listed, cursor = [], None
        while True:
            page = (
                await client.get(
                    USERS,
                    params={"limit": "2", "role": "customer", **query, **({"cursor": cursor} if cursor else {})},
                    headers=admin,
                )
            ).json()
            listed += [row["id"] for row in page["data"]]
            cursor = page["page"]["next_cursor"]
            if cursor is None:
                return listed

    # Within one transaction all accounts are of one moment: then by id.
    assert await pages() == newest_first
    assert await pages(sort="created_at") == newest_first[::-1]
    assert await pages(status="disabled") == []
    assert await pages(q="%") == []
    refused = await client.get(USERS, params={"sort": "email"}, headers=admin)
    assert (refused.status_code, code(refused)) == (422, "validation_failed")


async def test_a_long_list_takes_as_many_statements_as_a_short_one(
    client: httpx.AsyncClient, connection: AsyncConnection, shop: Shop, admin: dict[str, str]
) -> None:
    counts = []
    for more in (1, 49):
        for _ in range(more):
            await signed_in(shop)
        with count_statements(connection) as statements:
            listed = await client.get(f"{USERS}?limit=100&include_total=true", headers=admin)
        assert len(listed.json()["data"]) == listed.json()["page"]["total"]
        counts.append(len(statements))

    assert counts[0] == counts[1]


async def test_a_new_role_acts_at_once_and_is_recorded(
    client: httpx.AsyncClient, database: Database, admin: dict[str, str], ada: dict[str, str]
) -> None:
    account, decider = await account_of(client, ada), await account_of(client, admin)
    assert (await client.get(USERS, headers=ada)).status_code == 403

    changed = await change(client, admin | {"X-Request-ID": "promotion-of-ada"}, account, role="support")

    assert (changed.status_code, changed.headers["etag"], changed.json()["role"]) == (200, '"v2"', "support")
    assert (await account_of(client, ada))["role"] == "support"
    newest = (await all_of(database, select(AuditEntry).order_by(AuditEntry.position)))[-1]
    assert (newest.entity_id, newest.actor_id, newest.request_id) == (
        UUID(account["id"]),
        decider["id"],
        "promotion-of-ada",
    )
    assert (newest.old["role"], newest.new["role"]) == ("customer", "support")
    again = await change(client, admin, account, role="customer")
    assert (again.status_code, code(again)) == (412, "precondition_failed")


async def test_a_disabled_account_is_signed_out_for_good(
    client: httpx.AsyncClient, admin: dict[str, str], ada: dict[str, str]
) -> None:
    account = await account_of(client, ada)

    disabled = (await change(client, admin, account, status="disabled")).json()
    signed_out = await client.get(f"{USERS}/me", headers=ada)
    enabled = await change(client, admin, disabled, status="active")
    still_out = await client.get(f"{USERS}/me", headers=ada)

    assert (disabled["status"], enabled.json()["status"]) == ("disabled", "active")
    assert (signed_out.status_code, still_out.status_code) == (401, 401)


@pytest.mark.parametrize("changes", [{"role": "customer"}, {"status": "disabled"}])
async def test_the_last_admin_stays_one(
    client: httpx.AsyncClient, database: Database, admin: dict[str, str], changes: dict[str, str]
) -> None:
    refused = await change(client, admin, await account_of(client, admin), **changes)

    assert (refused.status_code, code(refused)) == (409, "last_admin")
    assert await all_of(database, select(User.version)) == [1]


@pytest.mark.parametrize(
    "changes",
    [{}, {"role": "root"}, {"status": "anonymised"}, {"role": None}, {"email": "a@b.cc"}, {"full_name": "Eve"}],
)
async def test_nothing_else_can_be_changed(
    client: httpx.AsyncClient, database: Database, admin: dict[str, str], changes: dict[str, Any]
) -> None:
    refused = await change(client, admin, await account_of(client, admin), **changes)

    assert (refused.status_code, code(refused)) == (422, "validation_failed")
    assert await all_of(database, select(User.version)) == [1]


async def test_without_a_version_nothing_changes(
    client: httpx.AsyncClient, admin: dict[str, str], ada: dict[str, str]
) -> None:
    account = await account_of(client, ada)

    refused = await client.patch(f"{USERS}/{account['id']}", json={"role": "admin"}, headers=admin)

    assert (refused.status_code, code(refused)) == (428, "precondition_required")
    assert await account_of(client, ada) == account
