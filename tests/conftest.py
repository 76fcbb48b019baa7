"""A real PostgreSQL and a real Valkey for the whole session, a clean shop for each test.

Most tests share one database: each runs in a transaction whose commits are savepoints, rolled back at the end.
Tests of concurrency take `fresh_database_url`: a copy of the migrated database of their own, where commits are real.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from app.core.encryption import KeyRing
from app.database import Database
from app.dev.embedded import PostgresServer, ValkeyServer
from app.main import create_app
from app.models.encrypted import give_keys
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.databases import (
    BorrowedConnection,
    BorrowedTransactions,
    copied_database,
    database_at,
    migrate,
    run_on_server,
)
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.settings import shop_settings

TEMPLATE = "emporium_template"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server to create databases on: TEST_DATABASE_URL, or PostgreSQL 18 from its wheel."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
    else:
        with PostgresServer.temporary() as server:
            yield server.url("postgres")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """TEST_REDIS_URL, or Valkey from its wheel."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
    else:
        with ValkeyServer(tmp_path_factory.mktemp("valkey"), fast=True).running() as server:
            yield server.url()


@pytest.fixture(scope="session")
async def template(postgres_url: str) -> str:
    """The name of a database built by the real migrations, to be copied."""
    await run_on_server(postgres_url, f"DROP DATABASE IF EXISTS {TEMPLATE}", f"CREATE DATABASE {TEMPLATE}")
    await migrate(database_at(postgres_url, TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
async def shared_database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    async with copied_database(postgres_url, template) as url:
        yield url


@pytest.fixture
async def fresh_database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """A migrated database for one test that commits for real."""
    async with copied_database(postgres_url, template) as url:
        yield url


@pytest.fixture(scope="session")
def sandbox() -> Iterator[RunningSandbox]:
    """The outside world: a payment provider and a mailbox, as a process of its own."""
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def settings(
    shared_database_url: str, redis_url: str, sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    return shop_settings(shared_database_url, redis_url, sandbox, tmp_path_factory.mktemp("media"))


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection inside a transaction that is never committed."""
    engine = create_async_engine(settings.database_url.get_secret_value(), poolclass=NullPool)
    give_keys(engine, KeyRing(settings.encryption_secrets()))
    async with engine.connect() as connection:
        await connection.begin()
        yield connection
        await connection.rollback()
    await engine.dispose()


@pytest.fixture
def database(connection: AsyncConnection, settings: Settings) -> Database:
    """The product's own `Database`, with every commit a savepoint of the test's transaction."""
    sessions = async_sessionmaker[AsyncSession](
        connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
    )
    borrowed = BorrowedConnection(connection)
    keys = KeyRing(settings.encryption_secrets())
    transactions, lease = BorrowedTransactions(connection, sessions), timedelta(seconds=settings.request_timeout)
    return Database(transactions, sessions, borrowed, borrowed, settings.media_url, keys, lease)


@pytest.fixture
async def shop(settings: Settings, database: Database) -> AsyncIterator[Shop]:
    shop = Shop(settings, database)
    yield shop
    await shop.close()


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """The application, assembled once: FastAPI prepares a route when it is first asked for."""
    return create_app(settings)


@pytest.fixture
def make_client(
    app: FastAPI, settings: Settings, shop: Shop
) -> Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]:
    """`async with make_client(rate_limit_enabled=True) as client:` the real application with other settings."""

    def make(**changes: object) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return client_of(create_app(settings.model_copy(update=changes)) if changes else app, shop)

    return make


@pytest.fixture
async def client(
    make_client: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> AsyncIterator[httpx.AsyncClient]:
    """The application over ASGI, on the test's own transaction."""
    async with make_client() as client:
        yield client


@asynccontextmanager
async def client_of(app: FastAPI, shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    app.state.shop = shop  # what the application's lifespan does with a shop of its own
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
async def fresh_shop(settings: Settings, fresh_database_url: str) -> AsyncIterator[Shop]:
    """A shop on real connections to a database of its own: for what happens at the same time."""
    own = settings.model_copy(update={"database_url": SecretStr(fresh_database_url)})
    async with open_shop(own) as shop:
        yield shop
