"""Rows on their way into the database by COPY, which takes a hundred thousand of them a second."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Self

from asyncpg import Connection
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from app.core.encryption import KeyRing
from app.models import Base
from app.models.encrypted import EncryptedAddress, EncryptedText, seal_address

ROWS_IN_MEMORY = 20_000
STEPS_BETWEEN_TURNS = 50
_as_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(slots=True)
class _Sheet:
    """The rows of one table that wait; all of them name the same columns."""

    columns: tuple[str, ...]
    encoders: dict[str, Callable[[Any], Any]]
    row_of: Callable[[dict[str, Any]], tuple[Any, ...]]
    rows: list[tuple[Any, ...]] = field(default_factory=list)


class Loader:
    """Collects rows and copies them, parents before children; leaving its block copies the rest.

    PostgreSQL works on one batch while the next is being made. COPY knows nothing of the models' Python defaults: a
    row names every column that has no default in the database.
    """

    def __init__(self, connection: "Connection[Any]", keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys
        self._sheets: dict[str, _Sheet] = {}
        self._waiting = 0
        self._steps = 0
        self._copying: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure and self._copying:
            self._copying.cancel()
            await asyncio.wait([self._copying])
        elif not failure:
            await self._hand_over()
            await self._copied()

    def add(self, target: type[Base] | Table, **values: Any) -> None:
        table = target if isinstance(target, Table) else Base.metadata.tables[target.__tablename__]
        sheet = self._sheets.get(table.name) or self._new_sheet(table, tuple(values))
        for name, encode in sheet.encoders.items():
            values[name] = encode(values[name])
        sheet.rows.append(sheet.row_of(values))
        self._waiting += 1

    async def make_room(self) -> None:
        """Copy what waits once it is a lot. Call it after each step, when no row waits for a parent yet to come."""
        self._steps += 1
        if self._waiting >= ROWS_IN_MEMORY:
            await self._hand_over()
        elif self._steps % STEPS_BETWEEN_TURNS == 0:
            await asyncio.sleep(0)

    async def _hand_over(self) -> None:
        await self._copied()
        self._copying = asyncio.create_task(self._copy(self._sheets))
        self._sheets = {}
        self._waiting = 0

    async def _copied(self) -> None:
        if self._copying:
            await self._copying

    async def _copy(self, sheets: dict[str, _Sheet]) -> None:
        for table in Base.metadata.sorted_tables:
            if sheet := sheets.get(table.name):
                await self._connection.copy_records_to_table(table.name, records=sheet.rows, columns=sheet.columns)

    def _new_sheet(self, table: Table, columns: tuple[str, ...]) -> _Sheet:
        encoders = {name: encode for name in columns if (encode := self._encoder(table.c[name].type))}
        sheet = self._sheets[table.name] = _Sheet(columns, encoders, itemgetter(*columns))
        return sheet

    def _encoder(self, kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
        """What COPY needs done to a value of this type; it takes everything else as it is."""
        if isinstance(kind, EncryptedAddress):
            return lambda address: _as_json(seal_address(address, self._keys, kind.place))
        if isinstance(kind, EncryptedText):
            return lambda text: None if text is None else self._keys.encrypt(text, kind.place)
        return _as_json if isinstance(kind, JSONB) else None
