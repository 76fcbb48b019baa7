"""Claims on stock: all that is wanted in one conditional statement (domain rule 1)."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text, Uuid, bindparam, column, func, select, update
from sqlalchemy import literal_column as literally
from sqlalchemy.dialects.postgresql import insert

from app.core.reader import Query
from app.core.statements import Statements
from app.models.base import table_of
from app.models.inventory import StockLevel, StockMovement

_LEVELS, _MOVEMENTS = table_of(StockLevel), table_of(StockMovement)
_LEFT = _LEVELS.c.on_hand - _LEVELS.c.reserved + _LEVELS.c.backorder_limit
_VARIANTS = bindparam("variant_ids", type_=ARRAY(Uuid))

_WANTED = (
    func.unnest(_VARIANTS, bindparam("quantities", type_=ARRAY(BigInteger)))
    .table_valued(column("variant_id", Uuid), column("quantity", BigInteger))
    .render_derived("wanted")
)
# In the order of `variant_id`, or two checkouts deadlock (domain rule 8).
_LOCKED = (
    select(_LEVELS.c.variant_id, _WANTED.c.quantity)
    .join(_WANTED, _WANTED.c.variant_id == _LEVELS.c.variant_id)
    .order_by(_LEVELS.c.variant_id)
    .with_for_update(of=_LEVELS)
    .cte("locked")
)
_CLAIMED = (
    update(_LEVELS)
    .where(_LEVELS.c.variant_id == _LOCKED.c.variant_id, _LOCKED.c.quantity <= _LEFT)
    .values(reserved=_LEVELS.c.reserved + _LOCKED.c.quantity)
    .returning(_LEVELS.c.variant_id, _LOCKED.c.quantity)
    .cte("claimed")
)
_RECORDED = (
    insert(_MOVEMENTS)
    .from_select(
        ["id", "variant_id", "on_hand_delta", "reserved_delta", "reason", "reference"],
        select(
            func.uuidv7(),
            _CLAIMED.c.variant_id,
            literally("0"),
            _CLAIMED.c.quantity,
            literally("'reserved'"),
            bindparam("reference", type_=Text),
        ),
        include_defaults=False,
    )
    .cte("recorded")
)
_CLAIM = Query(select(_CLAIMED.c.variant_id).add_cte(_RECORDED))
_AVAILABLE = Query(
    select(_LEVELS.c.variant_id, func.greatest(literally("0"), _LEFT)).where(
        _LEVELS.c.variant_id == func.any(_VARIANTS)
    )
)


class StockClaims:
    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def claim(self, quantities: Mapping[UUID, int], reference: str) -> dict[UUID, int]:
        """Raise `reserved` for every variant that has enough, and say so in the ledger.

        Returns what is available of those that have not. The caller rolls back unless that is nothing: all or none.
        """
        short = await self._claim(quantities, reference)
        if short:
            # The statement saw the stock as it was before it waited for the locks, which it holds by now. Somebody may
            # have brought some in between: asked again, it sees what nobody else can change any more.
            short = await self._claim(short, reference)
        return await self._available(short) if short else {}

    async def _claim(self, quantities: Mapping[UUID, int], reference: str) -> dict[UUID, int]:
        """Returns what it could not claim."""
        claimed = await self._statements.fetch(
            _CLAIM, variant_ids=[*quantities], quantities=[*quantities.values()], reference=reference
        )
        found = {variant_id for (variant_id,) in claimed}
        return {variant_id: quantity for variant_id, quantity in quantities.items() if variant_id not in found}

    async def _available(self, variant_ids: Collection[UUID]) -> dict[UUID, int]:
        """What could still be sold of each variant, back-orders included; 0 for one that is not stocked."""
        found = await self._statements.fetch(_AVAILABLE, variant_ids=[*variant_ids])
        return dict.fromkeys(variant_ids, 0) | {row[0]: row[1] for row in found}
