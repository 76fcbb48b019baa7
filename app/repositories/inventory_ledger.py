"""What happened to the stock, and what orders hold of it: the lists in which the warehouse looks things up."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, insert, literal_column, select

from app.core.pagination import Position
from app.models.inventory import StockMovement, StockReservation
from app.models.orders import Order
from app.models.products import Variant
from app.repositories.base import Repository
from app.repositories.keyset import seek
from app.schemas.inventory import MovementQuery, ReservationQuery

_Rows = Select[*tuple[Any, ...]]
_MOVEMENTS: _Rows = select(
    StockMovement.id,
    StockMovement.variant_id,
    Variant.sku,
    StockMovement.on_hand_delta,
    StockMovement.reserved_delta,
    StockMovement.reason,
    StockMovement.reference,
    StockMovement.adjustment_id,
    StockMovement.actor_id,
    StockMovement.api_key_id,
    StockMovement.created_at,
).join(Variant, Variant.id == StockMovement.variant_id)
_RESERVATIONS: _Rows = (
    select(
        StockReservation.id,
        StockReservation.order_id,
        Order.number.label("order_number"),
        StockReservation.variant_id,
        Variant.sku,
        StockReservation.quantity,
        StockReservation.status,
        StockReservation.expires_at,
    )
    .join(Variant, Variant.id == StockReservation.variant_id)
    .join(Order, Order.id == StockReservation.order_id)
)


def _literally(value: str) -> ColumnElement[str]:
    """A word of our own as part of the statement: for a parameter PostgreSQL may not see that a partial index fits."""
    return literal_column(f"'{value}'")


_OF_MOVEMENTS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "variant_id": lambda variant_id: StockMovement.variant_id == variant_id,
    "sku": lambda sku: Variant.sku == sku,
    "reason": lambda reason: StockMovement.reason == _literally(reason.value),
    "reference": lambda reference: StockMovement.reference == reference,
    "adjustment_id": lambda adjustment_id: StockMovement.adjustment_id == adjustment_id,
    "created_at_gte": lambda moment: StockMovement.created_at >= moment,
    "created_at_lte": lambda moment: StockMovement.created_at <= moment,
}
_OF_RESERVATIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "status": lambda status: StockReservation.status == _literally(status.value),
    "variant_id": lambda variant_id: StockReservation.variant_id == variant_id,
    "order_id": lambda order_id: StockReservation.order_id == order_id,
}


class InventoryLedgerRepository(Repository):
    async def record(self, deltas: Mapping[UUID, int], **common: Any) -> None:
        """Account for what staff or a service changed of `on_hand`; `common` is the same of all these movements."""
        await self._session.execute(
            insert(StockMovement),
            [{"variant_id": variant_id, "on_hand_delta": delta, **common} for variant_id, delta in deltas.items()],
        )

    async def movements(self, query: MovementQuery, position: Position | None) -> Sequence[Row[*tuple[Any, ...]]]:
        """Up to `query.limit + 1` movements, the newest first, or towards the newest when going back."""
        after = (datetime.fromisoformat(position.values[0]), UUID(position.values[1])) if position else None
        columns = (StockMovement.created_at.expression, StockMovement.id.expression)
        return await self._read(_filtered_movements(query), columns, query.limit, position, after)

    async def count_movements(self, query: MovementQuery) -> int:
        return await self._count(_filtered_movements(query))

    async def reservations(self, query: ReservationQuery, position: Position | None) -> Sequence[Row[*tuple[Any, ...]]]:
        """Up to `query.limit + 1` reservations, the newest first, or towards the newest when going back."""
        after = (UUID(position.values[0]),) if position else None
        columns = (StockReservation.id.expression,)
        return await self._read(_filtered_reservations(query), columns, query.limit, position, after)

    async def count_reservations(self, query: ReservationQuery) -> int:
        return await self._count(_filtered_reservations(query))

    async def _read(
        self,
        statement: _Rows,
        columns: Sequence[ColumnElement[Any]],
        limit: int,
        position: Position | None,
        after: Sequence[Any] | None,
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        falling = position is None or not position.backwards
        return (
            await self._session.execute(seek(statement, *columns, falling=falling, after=after).limit(limit + 1))
        ).all()

    async def _count(self, statement: _Rows) -> int:
        return (await self._session.execute(select(func.count()).select_from(statement.subquery()))).scalar_one()


def _filtered_movements(query: MovementQuery) -> _Rows:
    return _MOVEMENTS.where(*(_OF_MOVEMENTS[name](value) for name, value in query.filters().items()))


def _filtered_reservations(query: ReservationQuery) -> _Rows:
    return _RESERVATIONS.where(*(_OF_RESERVATIONS[name](value) for name, value in query.filters().items()))
