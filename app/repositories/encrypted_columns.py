"""All columns that are encrypted, for whoever replaces a key."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, Text, cast, func, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.encryption import KeyRing
from app.models import Base
from app.models.encrypted import Encrypted

Place = tuple[Any, ...]


class Batch(NamedTuple):
    """How many values were encrypted anew, and the primary key of the last row; None when there was none left."""

    values: int
    last: Place | None


class EncryptedTable:
    """A table with encrypted columns. Columns are found by their type, so that none can be forgotten."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.name = table.name
        self._columns: dict[Column[Any], Encrypted] = {
            column: column.type for column in table.c if isinstance(column.type, Encrypted)
        }

    async def renew(self, session: AsyncSession, keys: KeyRing, after: Place | None, limit: int) -> Batch:
        """Encrypt the next rows with the first key that are not yet; nobody else changes them meanwhile."""
        rows = await self._stale(session, keys, after, limit)
        if not rows:
            return Batch(0, None)
        width = len(self._table.primary_key)
        renewed = 0
        for row in rows:
            changes = {
                column: kind.renewed(stored, keys)
                for (column, kind), stored, is_stale in zip(
                    self._columns.items(), row[width::2], row[width + 1 :: 2], strict=True
                )
                if is_stale
            }
            renewed += len(changes)
            await session.execute(self._update(row[:width], changes))
        return Batch(renewed, tuple(rows[-1][:width]))

    async def _stale(self, session: AsyncSession, keys: KeyRing, after: Place | None, limit: int) -> Sequence[Any]:
        """Their primary keys, and of each encrypted column its text and whether another key has encrypted it."""
        key = tuple(self._table.primary_key)
        stale = {column: self._is_stale(column, keys) for column in self._columns}
        found = select(*key).where(or_(*stale.values())).order_by(*key).limit(limit).with_for_update(key_share=True)
        for column, is_stale in stale.items():
            found = found.add_columns(cast(column, Text), is_stale)
        if after is not None:
            found = found.where(tuple_(*key) > tuple_(*after))
        return (await session.execute(found)).all()

    def _is_stale(self, column: Column[Any], keys: KeyRing) -> ColumnElement[bool]:
        ciphertext = func.coalesce(self._columns[column].ciphertext_in(column), "")
        return column.is_not(None) & ~ciphertext.startswith(keys.current_prefix, autoescape=True)

    def _update(self, key: Sequence[Any], changes: dict[Column[Any], str]) -> Any:
        """Neither the version nor the time of the last change moves: to the shop nothing has changed."""
        values: dict[Column[Any], Any] = {
            column: cast(literal(text, Text), self._columns[column].stored_as) for column, text in changes.items()
        }
        if "updated_at" in self._table.c:
            values[self._table.c.updated_at] = self._table.c.updated_at
        matches = (column == value for column, value in zip(self._table.primary_key, key, strict=True))
        return update(self._table).where(*matches).values(values)


def encrypted_tables() -> Iterator[EncryptedTable]:
    for table in Base.metadata.sorted_tables:
        if any(isinstance(column.type, Encrypted) for column in table.c):
            yield EncryptedTable(table)
