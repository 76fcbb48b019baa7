"""Changes of stock by staff: all items or none, and by compare-and-set when they say what they expect."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.core.ids import uuid7
from app.database import UnitOfWork
from app.errors import InsufficientStock, StockChanged, ValidationFailed
from app.repositories.inventory_levels import Counters
from app.schemas.inventory import AdjustedLevel, AdjustmentCreate, AdjustmentRead
from app.services.principals import Caller


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Its caller holds the transaction and the idempotency key."""

    data: AdjustmentCreate
    actor: Caller

    async def make(self, tx: UnitOfWork) -> AdjustmentRead:
        """Move the counters, and account for each that moved.

        Raises:
            ValidationFailed: points at each variant that does not exist.
            StockChanged: names each item whose `expected_on_hand` is not what there is.
            InsufficientStock: names each variant of which orders hold what would be taken away.
        """
        variant_ids = [item.variant_id for item in self.data.items]
        counters = await tx.levels.lock(variant_ids)
        self._must_exist(counters)
        self._must_be_as_expected(counters)
        deltas = {item.variant_id: item.delta_from(counters[item.variant_id].on_hand) for item in self.data.items}
        _must_leave_what_is_promised(deltas, counters)

        adjustment_id, reason, reference = uuid7(), self.data.reason, self.data.reference
        moved = {variant_id: delta for variant_id, delta in deltas.items() if delta}
        if moved:  # a count may confirm everything
            await tx.levels.move(moved)
            await tx.ledger.record(
                moved,
                reason=reason,
                reference=reference,
                adjustment_id=adjustment_id,
                actor_id=self.actor.user_id,
                api_key_id=self.actor.key_id,
            )
        levels = await tx.levels.of_variants(variant_ids)
        if moved:
            changes = [
                {"variant_id": str(variant_id), "delta": delta, "on_hand": levels[variant_id].on_hand}
                for variant_id, delta in moved.items()
            ]
            # Without the reference: staff may have written a person's name into it.
            await tx.outbox.announce("inventory.adjusted", adjustment_id, reason=reason, items=changes)
        items = [AdjustedLevel(**dict(levels[variant_id]), delta=deltas[variant_id]) for variant_id in variant_ids]
        return AdjustmentRead(id=adjustment_id, reason=reason, reference=reference, items=items)

    def _must_exist(self, counters: Mapping[UUID, Counters]) -> None:
        unknown = [
            {"pointer": f"/items/{index}/variant_id", "code": "unknown_variant", "message": "there is no such variant"}
            for index, item in enumerate(self.data.items)
            if item.variant_id not in counters
        ]
        if unknown:
            raise ValidationFailed(errors=unknown)

    def _must_be_as_expected(self, counters: Mapping[UUID, Counters]) -> None:
        changed = [
            {
                "variant_id": str(item.variant_id),
                "expected_on_hand": item.expected_on_hand,
                "on_hand": counters[item.variant_id].on_hand,
            }
            for item in self.data.items
            if item.expected_on_hand not in (None, counters[item.variant_id].on_hand)
        ]
        if changed:
            raise StockChanged(lines=changed)


def _must_leave_what_is_promised(deltas: Mapping[UUID, int], counters: Mapping[UUID, Counters]) -> None:
    """What orders hold stays, as far as back-orders do not cover it; and nothing falls below zero."""
    short = [
        {
            "variant_id": str(variant_id),
            "requested": -delta,
            "available": counters[variant_id].on_hand - counters[variant_id].lowest,
            **counters[variant_id]._asdict(),
        }
        for variant_id, delta in deltas.items()
        if counters[variant_id].on_hand + delta < counters[variant_id].lowest
    ]
    if short:
        raise InsufficientStock("Orders hold what would be taken away, or there are not that many.", lines=short)
