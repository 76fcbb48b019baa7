"""What is revoked at one process is revoked at the other within a second; and when nobody listens, at once."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
from jose import jwt
from pydantic import SecretStr
from sqlalchemy import delete, update

from app.core.notices import APPLICATION_NAME
from app.core.security import AccessTokens
from app.core.signing_keys import new_pem
from app.database import driver_url
from app.models.users import Role, User, UserSession, UserStatus
from app.settings import Settings
from app.shop import Shop
from tests.support.forgeries import Forger
from tests.support.problems import problem_of
from tests.support.processes import WITHIN, running_apis
from tests.support.reviews import id_of
from tests.support.shopping import API, signed_in

AT_MOST = 1.0  # seconds
LIFETIME = timedelta(minutes=15)
REPEATED = 5

Apis = tuple[httpx.AsyncClient, httpx.AsyncClient]
Headers = dict[str, str]


async def known_to(apis: Apis, path: str, headers: Headers) -> None:
    """Both processes have answered, and remember who asked."""
    for api in apis * 2:
        response = await api.get(f"{API}{path}", headers=headers)
        assert response.status_code == 200, response.text


async def both_refuse(apis: Apis, path: str, headers: Headers, status: int) -> float:
    """Seconds until both do."""
    started = time.monotonic()
    for api in apis:
        while (await api.get(f"{API}{path}", headers=headers)).status_code != status:
            assert time.monotonic() - started < AT_MOST
    return time.monotonic() - started


async def sign_out(shop: Shop, api: httpx.AsyncClient, person: Headers) -> None:
    assert (await api.post(f"{API}/auth/logout", headers=person)).status_code == 204


async def sign_out_everywhere(shop: Shop, api: httpx.AsyncClient, person: Headers) -> None:
    assert (await api.post(f"{API}/auth/logout-all", headers=person)).status_code == 204


async def disable(shop: Shop, api: httpx.AsyncClient, person: Headers) -> None:
    await _change(shop, person, status=UserStatus.DISABLED)


async def forget(shop: Shop, api: httpx.AsyncClient, person: Headers) -> None:
    """As the purge of expired sessions does."""
    async with shop.database.transaction() as tx:
        await tx.session.execute(delete(UserSession).where(UserSession.user_id == id_of(shop, person)))


async def _change(shop: Shop, person: Headers, **values: str) -> None:
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(User).where(User.id == id_of(shop, person)).values(**values))


ENDINGS = [sign_out, sign_out_everywhere, disable, forget]
Ending = Callable[[Shop, httpx.AsyncClient, Headers], Awaitable[None]]


@pytest.mark.parametrize("end", ENDINGS)
async def test_who_is_signed_out_is_so_everywhere(apis: Apis, shop: Shop, end: Ending) -> None:
    for number in range(REPEATED):
        person = await signed_in(shop)
        await known_to(apis, "/users/me", person)

        await end(shop, apis[number % 2], person)

        await both_refuse(apis, "/users/me", person, 401)


async def test_a_lost_role_is_lost_everywhere(apis: Apis, shop: Shop) -> None:
    for _ in range(REPEATED):
        person = await signed_in(shop, Role.WAREHOUSE)
        await known_to(apis, "/inventory", person)

        await _change(shop, person, role=Role.CUSTOMER)

        await both_refuse(apis, "/inventory", person, 403)


async def test_a_revoked_key_is_so_everywhere(apis: Apis, shop: Shop) -> None:
    admin = await signed_in(shop, Role.ADMIN)
    for number in range(REPEATED):
        body = {"name": "Stock import", "scopes": ["inventory:read"]}
        key = (await apis[0].post(f"{API}/api-keys", json=body, headers=admin)).json()
        service = {"Authorization": f"Bearer {key['key']}"}
        await known_to(apis, "/inventory", service)

        revoked = await apis[number % 2].delete(f"{API}/api-keys/{key['id']}", headers=admin)

        assert revoked.status_code == 204
        await both_refuse(apis, "/inventory", service, 401)


@pytest.fixture
async def sql(settings: Settings) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Somebody at psql."""
    connection = await asyncpg.connect(driver_url(settings))
    yield connection
    await connection.close()


async def test_whoever_hears_nothing_asks(apis: Apis, shop: Shop, sql: "asyncpg.Connection[asyncpg.Record]") -> None:
    """The notice of the sign-out reaches nobody: those who listened were cut off just before."""
    for _ in range(REPEATED):
        person = await signed_in(shop)
        await known_to(apis, "/users/me", person)

        cut_off = await sql.fetch(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE application_name = $1 AND datname = current_database()",
            APPLICATION_NAME,
        )
        await _change(shop, person, status=UserStatus.DISABLED)

        assert len(cut_off) == len(apis)
        await both_refuse(apis, "/users/me", person, 401)
        await _listening_again(sql, len(apis))


async def _listening_again(sql: "asyncpg.Connection[asyncpg.Record]", processes: int) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()"
    deadline = time.monotonic() + WITHIN
    while await sql.fetchval(count, APPLICATION_NAME) < processes:
        assert time.monotonic() < deadline


async def test_forged_tokens_are_refused_over_the_wire(apis: Apis, shop: Shop) -> None:
    person = await signed_in(shop, Role.ADMIN)
    forgeries = Forger(person["Authorization"].removeprefix("Bearer "), shop.tokens.keys.current).all()
    requests = [("GET", "/users/me"), ("GET", "/products/manage"), ("POST", "/cart/lines")]
    variant = {"variant_id": str(UUID(int=0)), "quantity": 1}

    for name, forged in forgeries.items():
        for method, path in requests:
            headers = {"Authorization": f"Bearer {forged}".rstrip()}
            answer = await apis[0].request(
                method, f"{API}{path}", headers=headers, json=variant if method == "POST" else None
            )
            assert (answer.status_code, problem_of(answer)["code"]) == (401, "invalid_token"), (name, path)
            assert answer.headers["www-authenticate"].startswith("Bearer"), name


async def test_processes_take_each_others_tokens_during_a_rotation(
    settings: Settings, shop: Shop, tmp_path: Path
) -> None:
    old, new = new_pem(), new_pem()
    stages = [settings.model_copy(update={"jwt_signing_keys": SecretStr(pems)}) for pems in (old + new, new + old)]
    person = await signed_in(shop)
    claims = shop.tokens.read(person["Authorization"].removeprefix("Bearer "))
    tokens = [
        AccessTokens(stage.signing_keys(), LIFETIME).issue(claims.user_id, claims.session_id, "customer")
        for stage in stages
    ]
    with running_apis(stages[0], tmp_path, 1) as [before], running_apis(stages[1], tmp_path, 1) as [after]:
        async with httpx.AsyncClient(timeout=30) as client:
            for process in (before, after):
                for token in tokens:
                    answer = await client.get(f"{process}{API}/users/me", headers={"Authorization": f"Bearer {token}"})
                    assert answer.status_code == 200, answer.text
                refused = await client.get(f"{process}{API}/users/me", headers=person)  # signed with the shared secret
                assert refused.status_code == 401
            published = [(await client.get(f"{each}/.well-known/jwks.json")).json()["keys"] for each in (before, after)]

    assert published[0] == published[1][::-1]
    assert [key["kid"] for key in published[0]] == [jwt.get_unverified_header(token)["kid"] for token in tokens]
    assert all("d" not in key for key in published[0])
