"""An account, a sign-in, and clients from anywhere."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.database import Database
from app.models.users import User
from tests.support.accounts import Json, all_of, change, register, sign_in


@pytest.fixture
async def ada(client: httpx.AsyncClient, database: Database) -> User:
    """A registered account whose address is confirmed."""
    await register(client)
    await change(database, User, email_verified_at=func.now())
    (user,) = await all_of(database, select(User))
    return user  # type: ignore[no-any-return]  # the helper reads any model


@pytest.fixture
async def tokens(client: httpx.AsyncClient, ada: User) -> Json:
    response = await sign_in(client)
    assert response.status_code == 200
    tokens: Json = response.json()
    return tokens


@pytest.fixture
async def client_at(app: FastAPI, client: httpx.AsyncClient) -> AsyncIterator[Callable[[str], httpx.AsyncClient]]:
    """`client_at("192.0.2.1")`: another device, with cookies of its own, at that address."""
    async with AsyncExitStack() as devices:

        def at(address: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, client=(address, 50000))
            device = httpx.AsyncClient(transport=transport, base_url="http://localhost")
            devices.push_async_callback(device.aclose)
            return device

        yield at
