"""An account and a sign-in."""

import httpx
import pytest
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
