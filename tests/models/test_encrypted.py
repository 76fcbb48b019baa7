"""An encrypted column on a real database: text to the code, ciphertext to everybody else."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text, update
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.core.encryption import KeyRing, Undecipherable
from app.models.encrypted import EncryptedText, give_keys
from app.settings import Settings

KEYS = KeyRing(["a key for one test of 32 bytes and more"])
NOTES = Table(
    "encrypted_notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("note", EncryptedText("notes.note")),
    Column("other", EncryptedText("notes.other")),
    prefixes=["TEMPORARY"],
)


@pytest.fixture
async def notes(settings: Settings) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(settings.database_url.get_secret_value())
    give_keys(engine, KEYS)
    async with engine.connect() as connection:
        await connection.run_sync(NOTES.create)
        yield connection
    await engine.dispose()


async def stored(connection: AsyncConnection, column: str = "note") -> str:
    found: str = (await connection.execute(text(f"SELECT {column} FROM encrypted_notes"))).scalar_one()  # noqa: S608
    return found


async def test_the_database_holds_ciphertext_and_the_code_reads_text(notes: AsyncConnection) -> None:
    await notes.execute(insert(NOTES).values(id=1, note="call me"))

    assert KEYS.decrypt(await stored(notes), "notes.note") == "call me"
    assert (await notes.execute(select(NOTES.c.note))).scalar_one() == "call me"
    assert (await notes.execute(update(NOTES).values(note="later").returning(NOTES.c.note))).scalar_one() == "later"


async def test_nothing_stays_nothing(notes: AsyncConnection) -> None:
    await notes.execute(insert(NOTES).values(id=1, note=None))

    assert await stored(notes) is None
    assert (await notes.execute(select(NOTES.c.note))).scalar_one() is None


async def test_a_value_copied_from_another_column_is_not_believed(notes: AsyncConnection) -> None:
    await notes.execute(insert(NOTES).values(id=1, note="call me"))
    await notes.execute(text("UPDATE encrypted_notes SET other = note"))

    with pytest.raises(Undecipherable):
        (await notes.execute(select(NOTES.c.other))).scalar_one()


async def test_clear_text_in_the_column_is_not_believed(notes: AsyncConnection) -> None:
    await notes.execute(text("INSERT INTO encrypted_notes (id, note) VALUES (1, 'from somebody else')"))

    with pytest.raises(Undecipherable):
        (await notes.execute(select(NOTES.c.note))).scalar_one()


async def test_an_engine_that_was_given_no_keys_writes_nothing(settings: Settings) -> None:
    engine = create_async_engine(settings.database_url.get_secret_value())
    try:
        async with engine.connect() as connection:
            await connection.run_sync(NOTES.create)
            with pytest.raises(StatementError, match="has no keys"):
                await connection.execute(insert(NOTES).values(id=1, note="call me"))
    finally:
        await engine.dispose()
