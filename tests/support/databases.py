"""Databases on the test session's server."""

import asyncio
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import make_url

ROOT = Path(__file__).parents[2]


def database_at(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


async def run_on_server(server_url: str, *statements: str) -> None:
    """Run statements that no transaction may hold, such as CREATE DATABASE."""
    connection = await asyncpg.connect(server_url.replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def migrate(url: str) -> None:
    """Bring the database to the newest migration; in a thread, for Alembic runs an event loop of its own."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = url
    await asyncio.to_thread(command.upgrade, config, "head")
