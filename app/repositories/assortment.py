"""All products, whatever their status: what the catalogue's staff list.

An index begins with the status and goes on with what the list is sorted by. So a page of one status is a walk along
that index, and a page of all of them merges one such walk for each.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Text, func, literal, literal_column, select, true, union_all

from app.core.pagination import Position
from app.models.products import Product, ProductStatus, Variant
from app.repositories.base import Repository
from app.repositories.keyset import seek
from app.schemas.assortment import AssortmentProduct, AssortmentQuery
from app.schemas.base import Money

_ACTIVE = literal_column("'active'", Text)
_OF_PRODUCT = (Variant.product_id == Product.id, Variant.status == _ACTIVE)
_CHEAPEST = (
    select(Variant.price_amount, Variant.currency)
    .where(*_OF_PRODUCT)
    .order_by(Variant.price_amount, Variant.id)
    .limit(1)
    .correlate(Product)
    .lateral()
)
_VARIANTS = select(func.count()).select_from(Variant).where(*_OF_PRODUCT).correlate(Product).scalar_subquery()
_FOLDED_NAME = func.folded(Product.name, type_=Text)


class Listed(NamedTuple):
    """A product with its place in the list: what the list is sorted by, and its id."""

    product: AssortmentProduct
    place: tuple[str, str]


class AssortmentRepository(Repository):
    async def page(self, query: AssortmentQuery, position: Position | None) -> Sequence[Listed]:
        """Up to `query.limit + 1` products, read from the position in its direction."""
        backwards = position is not None and position.backwards
        falling = query.sort.startswith("-") is not backwards
        key: ColumnElement[Any] = _FOLDED_NAME if query.sort.by_name else Product.updated_at.expression
        after = None
        if position is not None:
            value, product_id = position.values
            after = (value if query.sort.by_name else datetime.fromisoformat(value), UUID(product_id))
        walks = [
            seek(
                _matching(query, status).with_only_columns(Product.id, key.label("key")),
                key,
                Product.id.expression,
                falling=falling,
                after=after,
            ).limit(query.limit + 1)
            for status in ([query.status] if query.status else ProductStatus)
        ]
        merged = union_all(*walks).subquery()
        page = seek(select(merged), merged.c.key, merged.c.id, falling=falling, after=None)
        first = page.limit(query.limit + 1).subquery()
        shown = (
            select(
                Product.id,
                Product.slug,
                Product.name,
                Product.status,
                Product.version,
                Product.updated_at,
                _VARIANTS.label("variants"),
                _CHEAPEST.c.price_amount,
                _CHEAPEST.c.currency,
                first.c.key,
            )
            .join(first, first.c.id == Product.id)
            .outerjoin(_CHEAPEST, true())
        )
        rows = await self._session.execute(seek(shown, first.c.key, first.c.id, falling=falling, after=None))
        return [_listed(row) for row in rows]

    async def count(self, query: AssortmentQuery) -> int:
        counted = _matching(query, query.status).with_only_columns(func.count())
        return (await self._session.execute(counted)).scalar_one()


def _matching(query: AssortmentQuery, status: ProductStatus | None) -> Select[Any]:
    matching: Select[Any] = select(Product.id)
    if status is not None:
        matching = matching.where(Product.status == literal_column(f"'{status}'", Text))
    if query.q:
        # Folding may make a wildcard of a letter: it is escaped afterwards.
        part = func.regexp_replace(func.folded(query.q), literal(r"([\\%_])"), literal(r"\\\1"), "g")
        matching = matching.where(_FOLDED_NAME.like(literal("%") + part + literal("%")))
    return matching


def _listed(row: Row[*tuple[Any, ...]]) -> Listed:
    price = None if row.price_amount is None else Money(amount=row.price_amount, currency=row.currency)
    product = AssortmentProduct(
        id=row.id,
        slug=row.slug,
        name=row.name,
        status=row.status,
        version=row.version,
        price_from=price,
        variants=row.variants,
        updated_at=row.updated_at,
    )
    return Listed(product, (row.key.isoformat() if isinstance(row.key, datetime) else row.key, str(row.id)))
