"""What lists are sorted by. But for relevance, each is the order of an index of `listings`, in either direction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Double,
    Numeric,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
)
from sqlalchemy.types import TypeEngine

from app.models.listings import Listing
from app.repositories.listings.filters import PRICE_OR_LAST, PRICE_OR_NONE, RESEMBLING, WORDS
from app.schemas.listings import ProductSort


@dataclass(frozen=True, slots=True)
class Key:
    """A value that a list is sorted by. It is never NULL, and `read` brings it back from a cursor exactly."""

    name: str
    value: ColumnElement[Any]
    type: TypeEngine[Any]
    read: Callable[[Any], Any] = lambda value: value

    @property
    def parameter(self) -> BindParameter[Any]:
        return bindparam(f"after_{self.name}", type_=self.type)


@dataclass(frozen=True, slots=True)
class Order:
    """The keys, all of them rising or all of them falling; the last one is unique."""

    keys: tuple[Key, ...]
    falling: bool

    def after(self, values: Sequence[Any]) -> dict[str, Any]:
        """The parameters of a page that follows on the row with these values, as a cursor has kept them."""
        return {f"after_{key.name}": key.read(value) for key, value in zip(self.keys, values, strict=True)}


_ID = Key("product_id", Listing.product_id.expression, Uuid(), UUID)
_CREATED_AT = Key("created_at", Listing.created_at.expression, DateTime(timezone=True), datetime.fromisoformat)
_PRICE = Key("price", PRICE_OR_LAST, BigInteger())
_RATING = Key("rating_average", Listing.rating_average.expression, Numeric(3, 2), Decimal)
_RATINGS = Key("rating_count", Listing.rating_count.expression, BigInteger())
_RANK = Key(
    "rank",
    cast(func.ts_rank(Listing.search_vector, WORDS), Double) + func.coalesce(RESEMBLING.c.similarity, 0.0),
    Double(),
)

_ORDERS = {
    ProductSort.RELEVANCE: Order((_RANK, _ID), falling=True),
    ProductSort.NEWEST: Order((_CREATED_AT, _ID), falling=True),
    ProductSort.OLDEST: Order((_CREATED_AT, _ID), falling=False),
    ProductSort.CHEAPEST: Order((_PRICE, _ID), falling=False),
    ProductSort.DEAREST: Order((Key("price", PRICE_OR_NONE, BigInteger()), _ID), falling=True),
    ProductSort.NAME: Order((Key("folded_name", Listing.folded_name.expression, Text()), _ID), falling=False),
    ProductSort.BEST_RATED: Order((_RATING, _RATINGS, _ID), falling=True),
    ProductSort.BESTSELLERS: Order((Key("units_sold", Listing.units_sold.expression, BigInteger()), _ID), falling=True),
}
# Within a range of prices everything has one, and the index of that range can be walked from its end.
_DEAREST_WITHIN = Order((_PRICE, _ID), falling=True)


def order_of(sort: ProductSort, filters: frozenset[str]) -> Order:
    if sort is ProductSort.DEAREST and filters & {"price_gte", "price_lte"}:
        return _DEAREST_WITHIN
    return _ORDERS[sort]
