"""A token may do what it was granted, as far as its holder's role still allows it."""

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.scopes import MEANINGS, SCOPES_OF, Scope, expanded, granted
from app.models.users import Role, User, UserSession
from app.shop import Shop
from tests.support.accounts import all_of, register, sign_in
from tests.support.forgeries import unpacked
from tests.support.problems import problem_of
from tests.support.reviews import id_of
from tests.support.shopping import API, add, add_product, signed_in
from tests.support.statements import count_statements

Headers = dict[str, str]


async def with_scope(shop: Shop, person: Headers, scope: str) -> Headers:
    """The same person, with a token that was granted just this."""
    claims = shop.tokens.read(person["Authorization"].removeprefix("Bearer "))
    return {"Authorization": f"Bearer {shop.tokens.issue(claims.user_id, claims.session_id, scope)}"}


async def given_role(shop: Shop, person: Headers, role: Role) -> None:
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(User).where(User.id == id_of(shop, person)).values(role=role))


@pytest.mark.parametrize("role", Role)
async def test_without_a_scope_one_gets_what_comes_with_the_role(
    client: httpx.AsyncClient, shop: Shop, role: Role
) -> None:
    await register(client)
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(User).values(role=role, email_verified_at=User.created_at))

    pair = (await sign_in(client)).json()

    assert pair["scope"] == role
    assert unpacked(pair["access_token"])[1]["scope"] == role


async def test_one_may_ask_for_less_and_keeps_to_it(client: httpx.AsyncClient, shop: Shop) -> None:
    await register(client)
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(User).values(role=Role.ADMIN, email_verified_at=User.created_at))

    pair = (await sign_in(client, scope="orders:read catalog:read")).json()
    renewed = (await client.post(f"{API}/auth/refresh", json={"refresh_token": pair["refresh_token"]})).json()

    assert pair["scope"] == renewed["scope"] == "catalog:read orders:read"
    for token in (pair["access_token"], renewed["access_token"]):
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.get(f"{API}/orders", headers=headers)).json()["data"] == []
        assert (await client.get(f"{API}/products/manage", headers=headers)).status_code == 200
        assert (await client.get(f"{API}/inventory", headers=headers)).status_code == 403
        assert (await client.get(f"{API}/users/me", headers=headers)).status_code == 403


async def test_a_role_does_not_grow_by_asking(client: httpx.AsyncClient, shop: Shop) -> None:
    await register(client)
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(User).values(email_verified_at=User.created_at))

    assert (await sign_in(client, scope="admin")).json()["scope"] == "customer"
    assert (await sign_in(client, scope="orders:read users:write")).json()["scope"] == "orders:read"
    for scope in ("users:write", "inventory:read catalog:write", "nonsense"):
        refused = await sign_in(client, scope=scope)
        assert (refused.status_code, problem_of(refused)["code"]) == (400, "invalid_scope")


@pytest.mark.parametrize(("asked", "path"), [("orders:read", "inventory"), ("", "orders"), ("nonsense", "orders")])
async def test_a_token_with_too_little_is_told_what_is_missing(
    client: httpx.AsyncClient, shop: Shop, asked: str, path: str
) -> None:
    """RFC 6750 §3.1."""
    refused = await client.get(
        f"{API}/{path}", headers=await with_scope(shop, await signed_in(shop, Role.ADMIN), asked)
    )

    missing = {"inventory": "inventory:read", "orders": "orders:read"}[path]
    assert (refused.status_code, problem_of(refused)["code"]) == (403, "insufficient_scope")
    assert problem_of(refused)["scopes"] == [missing]
    assert refused.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{missing}"'


async def test_a_role_that_is_lost_is_lost_at_once(client: httpx.AsyncClient, shop: Shop) -> None:
    staff = await signed_in(shop, Role.WAREHOUSE)
    assert (await client.get(f"{API}/inventory", headers=staff)).status_code == 200

    await given_role(shop, staff, Role.CUSTOMER)

    assert (await client.get(f"{API}/inventory", headers=staff)).status_code == 403
    assert (await client.get(f"{API}/orders", headers=staff)).status_code == 200


async def test_a_role_that_is_gained_comes_with_the_next_token(client: httpx.AsyncClient, shop: Shop) -> None:
    """A token is never worth more than when it was issued."""
    person = await signed_in(shop)
    await given_role(shop, person, Role.WAREHOUSE)

    assert (await client.get(f"{API}/inventory", headers=person)).status_code == 403
    assert (
        await client.get(f"{API}/inventory", headers=await with_scope(shop, person, Role.WAREHOUSE))
    ).status_code == 200


async def test_the_express_way_asks_for_the_same_scopes(client: httpx.AsyncClient, shop: Shop) -> None:
    variant = await add_product(shop.database)
    customer = await signed_in(shop)

    assert (await add(client, await with_scope(shop, customer, "cart:write"), variant)).status_code == 201
    refused = await add(client, await with_scope(shop, customer, "cart:read"), variant)
    assert (refused.status_code, problem_of(refused)["code"]) == (403, "insufficient_scope")


async def test_drafts_are_seen_with_the_scope_not_with_the_role_alone(client: httpx.AsyncClient, shop: Shop) -> None:
    variant = await add_product(shop.database, summary="")
    staff = await signed_in(shop, Role.CATALOG)
    page = f"{API}/products/{variant.product_id}"
    assert (await client.post(f"{page}/archive", headers=staff)).status_code == 200

    assert (await client.get(page, headers=staff)).status_code == 200
    assert (await client.get(page, headers=await with_scope(shop, staff, "customer"))).status_code == 404


@pytest.mark.parametrize("path", ["inventory", "products/manage"])
async def test_who_is_known_costs_no_statement(
    client: httpx.AsyncClient, connection: AsyncConnection, shop: Shop, path: str
) -> None:
    staff = await signed_in(shop, Role.ADMIN)
    shop.identification.known.begin()
    counts = []
    for _ in range(3):
        with count_statements(connection) as statements:
            assert (await client.get(f"{API}/{path}", headers=staff)).status_code == 200
        counts.append([each for each in statements if "sessions" in each])

    assert [len(each) for each in counts] == [1, 0, 0]


# The words themselves


def test_every_scope_has_a_meaning_and_somebody_who_has_it() -> None:
    assert MEANINGS.keys() == {*Scope}
    assert SCOPES_OF.keys() == {*Role}
    assert SCOPES_OF[Role.ADMIN] == {*Scope}
    assert all(SCOPES_OF[Role.CUSTOMER] <= scopes for scopes in SCOPES_OF.values())


def test_seeing_everybodys_things_takes_less_for_granted_than_it_gives() -> None:
    assert expanded(["orders:read_all"]) == {Scope.ORDERS_READ_ALL, Scope.ORDERS_READ}
    assert expanded(["orders:read"]) == {Scope.ORDERS_READ}
    assert expanded(["customer", "ORDERS:READ_ALL", "", "*"]) == SCOPES_OF[Role.CUSTOMER]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("asked", ["", *Role, *Scope, "admin nonsense", "customer catalog:write"])
def test_what_is_granted_is_never_more_than_the_role_nor_than_was_asked(role: Role, asked: str) -> None:
    scopes = expanded(granted(role, asked).split())

    assert scopes <= SCOPES_OF[role]
    assert not asked or scopes <= expanded(asked.split())


async def test_a_session_knows_what_it_was_opened_for(client: httpx.AsyncClient, shop: Shop) -> None:
    await register(client)
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(User).values(email_verified_at=User.created_at))
    await sign_in(client, scope="orders:read")
    await sign_in(client)

    assert await all_of(shop.database, select(UserSession.scope).order_by(UserSession.id)) == ["orders:read", None]
