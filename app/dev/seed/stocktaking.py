"""What the warehouse did by hand in the last weeks, as data: something of every kind for its lists to show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.dev.seed.ids import Ids
from app.dev.seed.stock import Shelf, Warehouse
from app.models.inventory import MovementReason


@dataclass(frozen=True)
class Round:
    """One adjustment. Each of the numbers is about another variant.

    `deltas` came or went; `left` is what was available afterwards.
    """

    ago: timedelta
    reason: MovementReason
    reference: str
    deltas: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


ROUNDS = (
    Round(timedelta(days=19, hours=5), MovementReason.RECEIVED, "Delivery note 70412", deltas=(24, 36, 12)),
    Round(timedelta(days=12, hours=3), MovementReason.DAMAGED, "Forklift in aisle 4", deltas=(-2,)),
    Round(timedelta(days=9, hours=6), MovementReason.RETURNED, "Parcel without a name", deltas=(1,)),
    Round(timedelta(days=6, hours=2), MovementReason.COUNTED, "Stock-take, shelf 12", deltas=(-1, 2), left=(5, 3)),
    Round(timedelta(days=4, hours=4), MovementReason.PROMOTION, "Photo studio", deltas=(-3,)),
    Round(timedelta(days=2, hours=7), MovementReason.DAMAGED, "Burst pipe", left=(0,)),
    Round(timedelta(days=1, hours=5), MovementReason.LOST, "Not found for two orders", deltas=(-1,)),
)


def take_stock(warehouse: Warehouse, ids: Ids, actor_id: UUID, shelves: Iterable[Shelf], now: datetime) -> None:
    """Go through the rounds, for as long as there are shelves with plenty on them."""
    waiting = iter(shelves)
    for each in ROUNDS:
        adjustment_id = ids()
        of_this_round = [(shelf, delta) for delta, shelf in zip(each.deltas, waiting, strict=False)]
        of_this_round += [
            (shelf, left + shelf.reserved - shelf.on_hand) for left, shelf in zip(each.left, waiting, strict=False)
        ]
        for shelf, delta in of_this_round:
            warehouse.adjust(shelf, delta, each.reason, each.reference, adjustment_id, actor_id, now - each.ago)
