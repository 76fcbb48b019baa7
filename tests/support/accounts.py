"""Steps that tests of accounts take, over HTTP as a customer would."""

from collections.abc import Mapping
from typing import Any

import httpx
from sqlalchemy import select, update

from app.database import Database
from app.models.platform import OutboxEvent

ADA = {"email": "ada@example.com", "password": " a long enough pässphrase ", "full_name": "Ada Lovelace"}
API = "/api/v1"

Json = dict[str, Any]


async def register(client: httpx.AsyncClient, **changes: object) -> httpx.Response:
    return await client.post(f"{API}/auth/register", json=ADA | changes)


async def sign_in(
    client: httpx.AsyncClient,
    password: str = ADA["password"],
    headers: Mapping[bytes, bytes] | None = None,
    **changes: str,
) -> httpx.Response:
    form = {"username": ADA["email"], "password": password} | changes
    return await client.post(f"{API}/auth/token", data=form, headers=headers)


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post(f"{API}/auth/refresh", json={"refresh_token": token})


async def me(client: httpx.AsyncClient, access_token: str) -> httpx.Response:
    return await client.get(f"{API}/users/me", headers=bearer(access_token))


def bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}


def code(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    problem: Json = response.json()
    assert problem["status"] == response.status_code
    return str(problem["code"])


async def all_of(database: Database, statement: Any) -> list[Any]:
    async with database.snapshot() as tx:
        return list((await tx.session.execute(statement)).scalars())


async def events(database: Database) -> list[str]:
    return await all_of(database, select(OutboxEvent.type).order_by(OutboxEvent.position))


async def change(database: Database, model: type[Any], **values: Any) -> None:
    """Change every row of the test's own transaction: for moving times into the past."""
    async with database.transaction() as tx:
        await tx.session.execute(update(model).values(**values).execution_options(synchronize_session=False))
