"""What the shop knows about its own stock, and what the warehouse's staff look up and set."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.logging import get_logger
from app.core.pagination import CursorSigner, Page
from app.database import Database, retried_on_conflict
from app.errors import BackordersPromised, NotFound
from app.schemas.inventory import (
    AdjustmentCreate,
    LevelQuery,
    LevelRead,
    LevelSort,
    LevelUpdate,
    MovementQuery,
    MovementRead,
    ReservationQuery,
    ReservationRead,
)
from app.services.idempotency import Answer, Attempt
from app.services.inventory_adjustment import Adjustment
from app.services.principals import Caller

logger = get_logger(__name__)


class InventoryService:
    def __init__(self, database: Database, cursors: CursorSigner) -> None:
        self._database = database
        self._cursors = cursors

    async def audit(self) -> Sequence[Any]:
        """Variants whose counters disagree with the reservations or the ledger: always none, or there is a defect."""
        async with self._database.snapshot() as tx:
            found = await tx.inventory.discrepancies()
        for row in found:
            logger.error("stock does not add up", **{name: str(value) for name, value in row._mapping.items()})  # noqa: SLF001 - SQLAlchemy's public way to read a Row as a mapping
        return found

    async def level(self, variant_id: UUID) -> LevelRead:
        async with self._database.snapshot() as tx:
            levels = await tx.levels.of_variants([variant_id])
        if variant_id not in levels:
            raise NotFound
        return levels[variant_id]

    async def levels(self, query: LevelQuery) -> Page[LevelRead]:
        bound = query.bound()
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            levels = await tx.levels.page(query, position)
            total = await tx.levels.count(query) if query.include_total else None

        def key(level: LevelRead) -> tuple[Any, ...]:
            by_sku = query.sort in (LevelSort.SKU, LevelSort.SKU_FALLING)
            return (level.sku if by_sku else level.available), str(level.variant_id)

        return self._cursors.page(levels, key, limit=query.limit, position=position, query=bound, total=total)

    @retried_on_conflict
    async def tune(self, variant_id: UUID, changes: LevelUpdate) -> LevelRead:
        """Change when to order again, or how many may be sold beyond what there is.

        Raises:
            NotFound: there is no such variant.
            BackordersPromised: orders count on more back-orders than that. Nothing has changed.
        """
        async with self._database.transaction() as tx:
            counters = (await tx.levels.lock([variant_id])).get(variant_id)
            if counters is None:
                raise NotFound
            if changes and not await tx.levels.tune(variant_id, changes):
                raise BackordersPromised(
                    on_hand=counters.on_hand,
                    reserved=counters.reserved,
                    lowest=counters.reserved - counters.on_hand,
                )
            return (await tx.levels.of_variants([variant_id]))[variant_id]

    @retried_on_conflict
    async def adjust(self, staff: Caller, data: AdjustmentCreate, key: str) -> Answer:
        """Account for what came, went or was counted: all items, or none; once for each key."""
        attempt = Attempt.of(staff.name, "POST /inventory/adjustments", key, data)
        async with self._database.transaction() as tx:
            claim = await attempt.begin(tx)
            if isinstance(claim, Answer):
                return claim
            return await attempt.complete(tx, 201, await Adjustment(data, staff).make(tx))

    async def movements(self, query: MovementQuery) -> Page[MovementRead]:
        bound = query.bound()
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            movements = await tx.ledger.movements(query, position)
            total = await tx.ledger.count_movements(query) if query.include_total else None
        return self._cursors.page(
            [MovementRead.model_validate(row) for row in movements],
            lambda movement: (movement.created_at.isoformat(), str(movement.id)),
            limit=query.limit,
            position=position,
            query=bound,
            total=total,
        )

    async def reservations(self, query: ReservationQuery) -> Page[ReservationRead]:
        bound = query.bound()
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            reservations = await tx.ledger.reservations(query, position)
            total = await tx.ledger.count_reservations(query) if query.include_total else None
        return self._cursors.page(
            [ReservationRead.model_validate(row) for row in reservations],
            lambda reservation: (str(reservation.id),),
            limit=query.limit,
            position=position,
            query=bound,
            total=total,
        )
