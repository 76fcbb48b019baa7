"""Replacing the key that personal data is encrypted with, beside a running shop."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from app.core.context import note
from app.core.encryption import KeyRing
from app.database import Database, retried_on_conflict
from app.repositories.encrypted_columns import Batch, EncryptedTable, Place, encrypted_tables
from app.settings import Settings

ROWS_AT_ONCE = 200


class Progress(NamedTuple):
    """How many values of the table have been encrypted anew so far."""

    table: str
    values: int


class KeyRotation:
    """Encrypts with the first key whatever another one has encrypted, and what is clear text yet.

    Each batch is a short transaction that holds its rows, and what it leaves can be told from what is to do. So it can
    be stopped, killed and run again at any time, in two places at once as well. Every process of the shop must know
    the first key before; and what a process writes that still encrypts with the old one is found by the next run.
    """

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    async def run(self) -> AsyncIterator[Progress]:
        """Tells after each batch how far it has come.

        Raises:
            Undecipherable: something was encrypted with a key that is not on the ring; what came before stays done.
        """
        for table in encrypted_tables():
            done, last = 0, None
            while (batch := await self._renew(table, last)).last is not None:
                done, last = done + batch.values, batch.last
                yield Progress(table.name, done)

    @retried_on_conflict
    async def _renew(self, table: EncryptedTable, after: Place | None) -> Batch:
        async with self._database.transaction(audited=True) as tx:
            return await table.renew(tx.session, self._keys, after, ROWS_AT_ONCE)


async def rotate(settings: Settings, tell: Callable[[str], None]) -> None:
    """`shop keys rotate`: with connections of its own, telling in lines for people."""
    keys = KeyRing(settings.encryption_secrets())
    total: dict[str, int] = {}
    note(actor_id="shop keys rotate")  # what the audit log says
    async with Database.connected(settings) as database:
        async for progress in KeyRotation(database, keys).run():
            total[progress.table] = progress.values
            tell(f"{progress.table}: {progress.values}")
    tell(f"{sum(total.values())} values are encrypted with key {keys.current} now.")
