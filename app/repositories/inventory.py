"""Stock: released, committed, reclaimed and audited by conditional statements only. Claimed: `stock_claims.py`.

Rows of `stock_levels` are always locked in the order of `variant_id`, or two checkouts deadlock (domain rule 8).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, Uuid, column, func, select, update, values
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.statements import SessionStatements
from app.models.inventory import ReservationStatus, StockLevel, StockMovement, StockReservation
from app.repositories.base import Repository
from app.repositories.stock_claims import StockClaims

HOLDING = (ReservationStatus.ACTIVE, ReservationStatus.COMMITTED)


class InventoryRepository(Repository):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session)
        self._claims = StockClaims(SessionStatements(session))

    async def release(self, order_id: UUID, status: ReservationStatus) -> None:
        """Give back what an order holds; its reservations become `status`. Nothing happens the second time."""
        released = await self._session.execute(
            update(StockReservation)
            .where(StockReservation.order_id == order_id, StockReservation.status.in_(HOLDING))
            .values(status=status)
            .returning(StockReservation.variant_id, StockReservation.quantity)
        )
        quantities: Counter[UUID] = Counter()
        for variant_id, quantity in released:
            quantities[variant_id] += quantity
        if not quantities:
            return
        await self._lock(quantities)
        freed = _as_rows(quantities)
        await self._session.execute(
            update(StockLevel)
            .where(StockLevel.variant_id == freed.c.variant_id)
            .values(reserved=StockLevel.reserved - freed.c.quantity)
        )
        await self._record(quantities, status, str(order_id))

    async def commit(self, order_id: UUID) -> bool:
        """Keep an order's stock for good, now that it is paid; False when its reservations have run out."""
        committed = await self._session.execute(
            update(StockReservation)
            .where(StockReservation.order_id == order_id, StockReservation.status == ReservationStatus.ACTIVE)
            .values(status=ReservationStatus.COMMITTED)
            .returning(StockReservation.id)
        )
        return committed.first() is not None

    async def reclaim(self, order_id: UUID) -> bool:
        """Claim again what a late payment has bought, if it is still there; commits it too."""
        lapsed = await self._session.execute(
            select(StockReservation.variant_id, func.sum(StockReservation.quantity))
            .where(StockReservation.order_id == order_id, StockReservation.status == ReservationStatus.EXPIRED)
            .group_by(StockReservation.variant_id)
        )
        quantities = {variant_id: int(quantity) for variant_id, quantity in lapsed}
        if not quantities:
            return False
        async with self._session.begin_nested() as savepoint:
            if await self._claims.claim(quantities, str(order_id)):
                await savepoint.rollback()
                return False
        await self._session.execute(
            update(StockReservation)
            .where(StockReservation.order_id == order_id, StockReservation.status == ReservationStatus.EXPIRED)
            .values(status=ReservationStatus.COMMITTED)
        )
        return True

    async def discrepancies(self) -> Sequence[Row[UUID, int, int, int, int]]:
        """Variants whose counters are not what the reservations and the ledger say (domain rule 1)."""
        held = (
            select(StockReservation.variant_id, func.sum(StockReservation.quantity).label("quantity"))
            .where(StockReservation.status.in_(HOLDING))
            .group_by(StockReservation.variant_id)
            .subquery()
        )
        moved = (
            select(StockMovement.variant_id, func.sum(StockMovement.on_hand_delta).label("quantity"))
            .group_by(StockMovement.variant_id)
            .subquery()
        )
        reserved, on_hand = func.coalesce(held.c.quantity, 0), func.coalesce(moved.c.quantity, 0)
        found = await self._session.execute(
            select(
                StockLevel.variant_id,
                StockLevel.reserved,
                reserved.label("held"),
                StockLevel.on_hand,
                on_hand.label("moved"),
            )
            .outerjoin(held, held.c.variant_id == StockLevel.variant_id)
            .outerjoin(moved, moved.c.variant_id == StockLevel.variant_id)
            .where((StockLevel.reserved != reserved) | (StockLevel.on_hand != on_hand))
        )
        rows: Sequence[Row[UUID, int, int, int, int]] = found.all()
        return rows

    async def _lock(self, variant_ids: Iterable[UUID]) -> None:
        await self._session.execute(
            select(StockLevel.variant_id)
            .where(StockLevel.variant_id.in_(variant_ids))
            .order_by(StockLevel.variant_id)
            .with_for_update()
        )

    async def _record(self, freed: Mapping[UUID, int], reason: str, reference: str) -> None:
        """Write the ledger: positive quantities were freed, negative ones claimed."""
        await self._session.execute(
            insert(StockMovement),
            [
                {"variant_id": variant_id, "reserved_delta": -quantity, "reason": reason, "reference": reference}
                for variant_id, quantity in sorted(freed.items())
            ],
        )


def _as_rows(quantities: Mapping[UUID, int]) -> Any:
    """The mapping as a table of the statement, so that one UPDATE moves every counter."""
    return values(column("variant_id", Uuid), column("quantity", BigInteger), name="wanted").data(
        sorted(quantities.items())
    )
