"""Levels of stock as the warehouse lists, locks and changes them. What checkouts do to them: `inventory.py`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Row, Select, Uuid, and_, column, false, func, select, update, values

from app.core.pagination import Position
from app.core.slugs import id_or_slug
from app.models.inventory import StockLevel
from app.models.products import Product, ProductStatus, Variant, VariantStatus
from app.repositories.base import Repository
from app.repositories.keyset import seek
from app.schemas.inventory import LevelQuery, LevelRead, LevelSort, LevelUpdate, ProductLink

_LOW = and_(
    StockLevel.available <= StockLevel.reorder_point,
    Variant.status != VariantStatus.ARCHIVED,
    Product.status != ProductStatus.ARCHIVED,
)
_Rows = Select[*tuple[Any, ...]]
_LEVELS: _Rows = (
    select(
        StockLevel.variant_id,
        Variant.sku,
        Variant.option_values.label("options"),
        StockLevel.on_hand,
        StockLevel.reserved,
        StockLevel.available,
        StockLevel.backorder_limit,
        StockLevel.reorder_point,
        _LOW.label("low_stock"),
        Product.id,
        Product.slug,
        Product.name,
    )
    .join(Variant, Variant.id == StockLevel.variant_id)
    .join(Product, Product.id == Variant.product_id)
)


def _of_product(address: str) -> ColumnElement[bool]:
    match id_or_slug(address):
        case UUID() as product_id:
            return Product.id == product_id
        case str() as slug:
            return Product.slug == slug
        case _:
            return false()


_CONDITIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "low_stock": lambda low: _LOW if low else ~_LOW,
    "sku": lambda sku: Variant.sku == sku,
    "variant_id": lambda variant_id: StockLevel.variant_id == variant_id,
    "product": _of_product,
}
_KEYS: dict[LevelSort, ColumnElement[Any]] = {
    LevelSort.SKU: Variant.sku.expression,
    LevelSort.SKU_FALLING: Variant.sku.expression,
    LevelSort.AVAILABLE: StockLevel.available.expression,
    LevelSort.AVAILABLE_FALLING: StockLevel.available.expression,
}


class Counters(NamedTuple):
    """What checkouts and staff compete for."""

    on_hand: int
    reserved: int
    backorder_limit: int

    @property
    def lowest(self) -> int:
        """How far `on_hand` may fall: what orders hold must stay, but for what back-orders cover."""
        return max(0, self.reserved - self.backorder_limit)


class InventoryLevelRepository(Repository):
    async def page(self, query: LevelQuery, position: Position | None) -> Sequence[LevelRead]:
        """Up to `query.limit + 1` levels, read from the position in its direction."""
        backwards = position is not None and position.backwards
        after = (position.values[0], UUID(position.values[1])) if position else None
        statement = seek(
            self._filtered(query),
            _KEYS[query.sort],
            StockLevel.variant_id.expression,
            falling=query.sort.startswith("-") is not backwards,
            after=after,
        )
        return [_level(row) for row in await self._session.execute(statement.limit(query.limit + 1))]

    async def count(self, query: LevelQuery) -> int:
        counted = select(func.count()).select_from(self._filtered(query).subquery())
        return (await self._session.execute(counted)).scalar_one()

    async def of_variants(self, variant_ids: Collection[UUID]) -> dict[UUID, LevelRead]:
        found = await self._session.execute(_LEVELS.where(StockLevel.variant_id.in_(variant_ids)))
        return {row.variant_id: _level(row) for row in found}

    async def lock(self, variant_ids: Collection[UUID]) -> dict[UUID, Counters]:
        """The counters, nobody else's until the end of the transaction; locked in the order in which checkouts do."""
        locked = await self._session.execute(
            select(StockLevel.variant_id, StockLevel.on_hand, StockLevel.reserved, StockLevel.backorder_limit)
            .where(StockLevel.variant_id.in_(variant_ids))
            .order_by(StockLevel.variant_id)
            .with_for_update()
        )
        return {row.variant_id: Counters(*row[1:]) for row in locked}

    async def move(self, deltas: Mapping[UUID, int]) -> None:
        """Change `on_hand` of levels that are locked."""
        moved = values(column("variant_id", Uuid), column("delta", BigInteger), name="moved").data(
            sorted(deltas.items())
        )
        await self._session.execute(
            update(StockLevel)
            .where(StockLevel.variant_id == moved.c.variant_id)
            .values(on_hand=StockLevel.on_hand + moved.c.delta)
        )

    async def tune(self, variant_id: UUID, changes: LevelUpdate) -> bool:
        """Change what is not a counter; False when orders count on more back-orders than the new limit allows."""
        statement = update(StockLevel).where(StockLevel.variant_id == variant_id).values(**changes)
        if "backorder_limit" in changes:
            statement = statement.where(StockLevel.reserved <= StockLevel.on_hand + changes["backorder_limit"])
        return await self._moved(statement)

    def _filtered(self, query: LevelQuery) -> _Rows:
        return _LEVELS.where(*(_CONDITIONS[name](value) for name, value in query.filters().items()))


def _level(row: Row[*tuple[Any, ...]]) -> LevelRead:
    return LevelRead.model_validate({**row._mapping, "product": ProductLink.model_validate(row)})  # noqa: SLF001 - SQLAlchemy's public way to read a Row as a mapping
