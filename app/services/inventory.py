"""What the shop knows about its own stock."""

from collections.abc import Sequence
from typing import Any

from app.core.logging import get_logger
from app.database import Database

logger = get_logger(__name__)


class InventoryService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def audit(self) -> Sequence[Any]:
        """Variants whose counters disagree with the reservations or the ledger: always none, or there is a defect."""
        async with self._database.snapshot() as tx:
            found = await tx.inventory.discrepancies()
        for row in found:
            logger.error("stock does not add up", **{name: str(value) for name, value in row._mapping.items()})  # noqa: SLF001 - SQLAlchemy's public way to read a Row as a mapping
        return found
