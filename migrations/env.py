"""Run migrations over the service's own asyncpg driver.

A migration waits at most `LOCK_TIMEOUT` for a lock, so that it fails rather than queue every request behind it.
"""

import asyncio

from alembic import context
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.models import Base
from app.settings import Variables

LOCK_TIMEOUT = "5s"


class MigrationSettings(Variables):
    """All that a migration job needs to know: not the shop's other secrets."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: SecretStr


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()


async def connect_and_migrate() -> None:
    url = context.config.attributes.get("database_url") or MigrationSettings().database_url.get_secret_value()
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect_and_migrate())
