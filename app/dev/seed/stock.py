"""A warehouse that keeps its books the way the shop does: every change of a counter is a movement (domain rule 1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.dev.seed.ids import Ids
from app.dev.seed.loader import Loader
from app.models.inventory import StockLevel, StockMovement

RESTOCK = 60


@dataclass(slots=True)
class Shelf:
    """A variant as it stands in the warehouse, and what an order says about it. `price` is EUR cents with tax."""

    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    option_values: dict[str, str]
    price: int
    tax_class: str
    reorder_point: int
    on_hand: int = 0
    reserved: int = 0


class Warehouse:
    def __init__(self, loader: Loader, ids: Ids) -> None:
        self._loader = loader
        self._ids = ids
        self._shelves: list[Shelf] = []

    @property
    def size(self) -> int:
        return len(self._shelves)

    def open(self, shelf: Shelf) -> None:
        self._shelves.append(shelf)

    def receive(self, shelf: Shelf, quantity: int, at: datetime, reason: str = "received") -> None:
        self._move(shelf, quantity, 0, reason, None, at)

    def claim(self, shelf: Shelf, quantity: int, order_id: UUID, at: datetime) -> None:
        """Reserve for an order. A new delivery comes before the shelf falls to its reorder point."""
        if shelf.on_hand - shelf.reserved - quantity <= shelf.reorder_point:
            self.receive(shelf, RESTOCK, at, "restocked")
        self._move(shelf, 0, quantity, "reserved", str(order_id), at)

    def release(self, shelf: Shelf, quantity: int, reason: str, order_id: UUID, at: datetime) -> None:
        self._move(shelf, 0, -quantity, reason, str(order_id), at)

    def ship(self, shelf: Shelf, quantity: int, order_id: UUID, at: datetime) -> None:
        self._move(shelf, -quantity, -quantity, "shipped", str(order_id), at)

    def adjust(
        self, shelf: Shelf, delta: int, reason: str, reference: str, adjustment_id: UUID, actor_id: UUID, at: datetime
    ) -> None:
        self._move(shelf, delta, 0, reason, reference, at, adjustment_id=adjustment_id, actor_id=actor_id)

    def count(self) -> Iterator[None]:
        """Write the counters as they stand at the end, one a step."""
        for shelf in self._shelves:
            self._loader.add(
                StockLevel,
                variant_id=shelf.variant_id,
                on_hand=shelf.on_hand,
                reserved=shelf.reserved,
                reorder_point=shelf.reorder_point,
            )
            yield

    def _move(
        self,
        shelf: Shelf,
        on_hand: int,
        reserved: int,
        reason: str,
        reference: str | None,
        at: datetime,
        adjustment_id: UUID | None = None,
        actor_id: UUID | None = None,
    ) -> None:
        shelf.on_hand += on_hand
        shelf.reserved += reserved
        self._loader.add(
            StockMovement,
            id=self._ids(),
            variant_id=shelf.variant_id,
            on_hand_delta=on_hand,
            reserved_delta=reserved,
            reason=reason,
            reference=reference,
            adjustment_id=adjustment_id,
            actor_id=actor_id,
            created_at=at,
        )
