"""Keys of services: told once, good for their scopes, and for nothing once they are revoked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from app.core.clock import now
from app.core.security import digest
from app.database import Database
from app.models.api_keys import ApiKey
from app.models.inventory import StockMovement
from app.models.platform import AuditEntry, IdempotencyKey
from app.models.scopes import FOR_SERVICES, SCOPES_OF, Scope
from app.models.users import Role
from app.shop import Shop
from tests.support.accounts import all_of
from tests.support.problems import problem_of
from tests.support.reviews import id_of
from tests.support.shopping import API, add_product, keyed, signed_in
from tests.support.statements import count_statements

KEYS = f"{API}/api-keys"
Headers = dict[str, str]
Json = dict[str, Any]


@pytest.fixture
async def admin(shop: Shop) -> Headers:
    return await signed_in(shop, Role.ADMIN)


async def made(client: httpx.AsyncClient, admin: Headers, *scopes: str, **changes: Any) -> Json:
    body = {"name": "Stock import", "scopes": scopes or ["inventory:read", "inventory:write"]} | changes
    response = await client.post(KEYS, json=body, headers=admin)
    assert response.status_code == 201, response.text
    key: Json = response.json()
    return key


def bearer(key: Json) -> Headers:
    return {"Authorization": f"Bearer {key['key']}"}


async def test_a_key_is_told_once_and_kept_as_a_hash(
    client: httpx.AsyncClient, database: Database, shop: Shop, admin: Headers
) -> None:
    response = await client.post(
        KEYS, json={"name": "Stock import", "scopes": ["inventory:write", "inventory:read"]}, headers=admin
    )
    key = response.json()

    assert response.headers["cache-control"] == "no-store"
    assert key["key"].startswith(f"{key['prefix']}")
    assert (key["prefix"][:9], len(key["prefix"]), len(key["key"])) == ("emp_test_", 13, 52)
    assert key["scopes"] == ["inventory:read", "inventory:write"]
    assert key["created_by"] == str(id_of(shop, admin))
    assert timedelta(days=89) < datetime.fromisoformat(key["expires_at"]) - datetime.now(UTC) <= timedelta(days=90)
    shown = await client.get(response.headers["location"], headers=admin)
    assert shown.json() == {name: value for name, value in key.items() if name != "key"}
    [stored] = await all_of(database, select(ApiKey))
    assert stored.hash == digest(key["key"])
    [audited] = await all_of(database, select(AuditEntry).where(AuditEntry.entity == "api_keys"))
    assert (audited.action, audited.actor_id) == ("insert", str(id_of(shop, admin)))
    assert "hash" not in audited.new


async def test_a_key_does_what_its_scopes_say_and_no_more(client: httpx.AsyncClient, admin: Headers) -> None:
    key = bearer(await made(client, admin, "inventory:read"))

    assert (await client.get(f"{API}/inventory", headers=key)).status_code == 200
    refused = await client.get(f"{API}/products/manage", headers=key)
    assert (refused.status_code, problem_of(refused)["code"]) == (403, "insufficient_scope")
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="catalog:read"'
    assert problem_of(refused)["scopes"] == ["catalog:read"]
    for path in ("users/me", "cart", "auth/sessions"):
        assert (await client.get(f"{API}/{path}", headers=key)).status_code == 403


async def test_what_a_service_does_is_known_as_its_deed(
    client: httpx.AsyncClient, database: Database, admin: Headers
) -> None:
    key, variant = await made(client, admin, "inventory:write"), await add_product(database)
    body = {"items": [{"variant_id": str(variant.id), "delta": 1}], "reason": "received"}
    headers = keyed(bearer(key))

    first = await client.post(f"{API}/inventory/adjustments", json=body, headers=headers)
    again = await client.post(f"{API}/inventory/adjustments", json=body, headers=headers)

    assert (first.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    [owner] = await all_of(database, select(IdempotencyKey.scope))
    assert owner == f"key:{key['id']} POST /inventory/adjustments"
    [movement] = await all_of(database, select(StockMovement).where(StockMovement.adjustment_id.is_not(None)))
    assert (str(movement.api_key_id), movement.actor_id) == (key["id"], None)


async def test_two_services_may_use_the_same_idempotency_key(
    client: httpx.AsyncClient, database: Database, admin: Headers
) -> None:
    variant = await add_product(database, stock=0)
    body = {"items": [{"variant_id": str(variant.id), "delta": 1}], "reason": "received"}
    for _ in range(2):
        service = bearer(await made(client, admin, "inventory:write"))
        done = await client.post(f"{API}/inventory/adjustments", json=body, headers=keyed(service, "monday"))
        assert "idempotent-replayed" not in done.headers

    assert done.json()["items"][0]["on_hand"] == 2


async def test_a_revoked_key_is_nothing_any_more(client: httpx.AsyncClient, database: Database, admin: Headers) -> None:
    key = await made(client, admin)
    assert (await client.get(f"{API}/inventory", headers=bearer(key))).status_code == 200

    assert (await client.delete(f"{KEYS}/{key['id']}", headers=admin)).status_code == 204

    refused = await client.get(f"{API}/inventory", headers=bearer(key))
    assert (refused.status_code, problem_of(refused)["code"]) == (401, "invalid_token")
    assert (await client.get(f"{KEYS}/{key['id']}", headers=admin)).status_code == 404
    assert (await client.delete(f"{KEYS}/{key['id']}", headers=admin)).status_code == 404
    assert (await client.get(KEYS, headers=admin)).json()["data"] == []
    changes = await all_of(database, select(AuditEntry.changed).where(AuditEntry.entity == "api_keys"))
    assert changes == [[], ["revoked_at"]]


async def test_a_key_ends(client: httpx.AsyncClient, database: Database, admin: Headers) -> None:
    key = await made(client, admin, expires_in_days=1)
    async with database.transaction() as tx:
        await tx.session.execute(update(ApiKey).values(expires_at=now() - timedelta(hours=1)))

    assert (await client.get(f"{API}/inventory", headers=bearer(key))).status_code == 401
    assert [each["id"] for each in (await client.get(KEYS, headers=admin)).json()["data"]] == [key["id"]]


@pytest.mark.parametrize("garbage", ["emp_", "emp_live_", "emp_test_" + "x" * 43, "emp_\u00e9".encode(), "emp_ " * 500])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, garbage: str | bytes) -> None:
    header = b"Bearer " + (garbage.encode() if isinstance(garbage, str) else garbage)
    refused = await client.get(f"{API}/inventory", headers={b"Authorization": header})

    assert (refused.status_code, problem_of(refused)["code"]) == (401, "invalid_token")


async def test_a_key_can_do_no_more_than_its_maker(client: httpx.AsyncClient, shop: Shop, admin: Headers) -> None:
    claims = shop.tokens.read(admin["Authorization"].removeprefix("Bearer "))
    narrow = shop.tokens.issue(claims.user_id, claims.session_id, "api_keys:write inventory:read")
    headers = {"Authorization": f"Bearer {narrow}"}

    refused = await client.post(KEYS, json={"name": "x", "scopes": ["inventory:read", "users:read"]}, headers=headers)
    allowed = await client.post(KEYS, json={"name": "x", "scopes": ["inventory:read"]}, headers=headers)

    assert (refused.status_code, problem_of(refused)["scopes"]) == (403, ["users:read"])
    assert allowed.status_code == 201


@pytest.mark.parametrize("scope", sorted({*Scope, *Role, "", "inventory", "*"} - FOR_SERVICES))
async def test_no_key_is_made_for_what_only_people_may(client: httpx.AsyncClient, admin: Headers, scope: str) -> None:
    refused = await client.post(KEYS, json={"name": "x", "scopes": ["inventory:read", scope]}, headers=admin)

    assert (refused.status_code, problem_of(refused)["errors"][0]["pointer"]) == (422, "/scopes/1")


def test_services_get_nothing_that_would_make_them_more() -> None:
    assert FOR_SERVICES.isdisjoint(SCOPES_OF[Role.CUSTOMER])
    assert FOR_SERVICES.isdisjoint({Scope.USERS_WRITE, Scope.API_KEYS_READ, Scope.API_KEYS_WRITE})


@pytest.mark.parametrize(
    "changes", [{"scopes": []}, {"expires_in_days": 0}, {"expires_in_days": 367}, {"name": " "}, {"key": "emp_mine"}]
)
async def test_a_key_has_a_name_a_use_and_an_end(client: httpx.AsyncClient, admin: Headers, changes: Json) -> None:
    refused = await client.post(KEYS, json={"name": "x", "scopes": ["inventory:read"]} | changes, headers=admin)

    assert refused.status_code == 422


async def test_keys_are_listed_a_page_at_a_time(client: httpx.AsyncClient, admin: Headers) -> None:
    keys = [(await made(client, admin, name=f"Service {number}"))["id"] for number in range(5)]

    first = (await client.get(f"{KEYS}?limit=2&include_total=true", headers=admin)).json()
    second = (await client.get(f"{KEYS}?limit=2&cursor={first['page']['next_cursor']}", headers=admin)).json()
    back = (await client.get(f"{KEYS}?limit=2&cursor={second['page']['prev_cursor']}", headers=admin)).json()

    assert first["page"]["total"] == 5
    assert ids(first) + ids(second) == sorted(keys, reverse=True)[:4]
    assert ids(back) == ids(first)
    assert (await client.get(f"{KEYS}?cursor={first['page']['next_cursor']}x", headers=admin)).status_code == 400


def ids(page: Json) -> list[str]:
    return [key["id"] for key in page["data"]]


async def test_a_list_of_keys_takes_as_many_statements_for_one_as_for_fifty(
    client: httpx.AsyncClient, connection: Any, admin: Headers
) -> None:
    counts = []
    for number in (1, 10):
        for _ in range(number):
            await made(client, admin)
        with count_statements(connection) as statements:
            await client.get(f"{KEYS}?limit=100", headers=admin)
        counts.append(len(statements))

    assert counts[0] == counts[1]


async def test_its_use_is_noted_once_a_minute(client: httpx.AsyncClient, database: Database, admin: Headers) -> None:
    key = await made(client, admin)
    noted = select(ApiKey.last_used_at)

    assert await all_of(database, noted) == [None]
    await client.get(f"{API}/inventory", headers=bearer(key))
    [first] = await all_of(database, noted)
    assert first is not None
    await client.get(f"{API}/inventory", headers=bearer(key))
    assert await all_of(database, noted) == [first]

    long_ago = first - timedelta(minutes=2)
    async with database.transaction() as tx:
        await tx.session.execute(update(ApiKey).values(last_used_at=long_ago))
    await client.get(f"{API}/inventory", headers=bearer(key))
    assert (await all_of(database, noted))[0] > long_ago
    assert len(await all_of(database, select(AuditEntry).where(AuditEntry.entity == "api_keys"))) == 1
