"""What lists are sorted by. But for relevance, each is the order of an index of `listings`, in either direction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
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
)
from sqlalchemy.types import TypeEngine

from app.repositories.listings.filters import RANK, ListingRows, price_or_last, price_or_nothing
from app.schemas.listings import ProductSort


@dataclass(frozen=True, slots=True)
class Key:
    """A value that a list is sorted by. It is never NULL, and `read` brings it back from a cursor exactly."""

    name: str
    of: Callable[[ListingRows], ColumnElement[Any]]
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


def _column(name: str) -> Callable[[ListingRows], ColumnElement[Any]]:
    return attrgetter(f"{name}.expression")


_ID = Key("product_id", _column("product_id"), Uuid(), UUID)
_CREATED_AT = Key("created_at", _column("created_at"), DateTime(timezone=True), datetime.fromisoformat)
_NAME = Key("folded_name", _column("folded_name"), Text())
_PRICE = Key("price", price_or_last, BigInteger())
_PRICE_FROM_THE_END = Key("price", price_or_nothing, BigInteger())
_RATING = Key("rating_average", _column("rating_average"), Numeric(3, 2), Decimal)
_RATINGS = Key("rating_count", _column("rating_count"), BigInteger())
_UNITS_SOLD = Key("units_sold", _column("units_sold"), BigInteger())

_ORDERS = {
    ProductSort.RELEVANCE: Order((Key("rank", lambda _: RANK, Double()), _ID), falling=True),
    ProductSort.NEWEST: Order((_CREATED_AT, _ID), falling=True),
    ProductSort.OLDEST: Order((_CREATED_AT, _ID), falling=False),
    ProductSort.CHEAPEST: Order((_PRICE, _ID), falling=False),
    ProductSort.DEAREST: Order((_PRICE_FROM_THE_END, _ID), falling=True),
    ProductSort.NAME: Order((_NAME, _ID), falling=False),
    ProductSort.BEST_RATED: Order((_RATING, _RATINGS, _ID), falling=True),
    ProductSort.BESTSELLERS: Order((_UNITS_SOLD, _ID), falling=True),
}
PRICES = frozenset({"price_gte", "price_lte"})
# Within a range of prices everything has one, and the index that knows the range can be walked from its end.
_DEAREST_WITHIN = Order((_PRICE, _ID), falling=True)


def order_of(sort: ProductSort, filters: frozenset[str]) -> Order:
    return _DEAREST_WITHIN if sort is ProductSort.DEAREST and filters & PRICES else _ORDERS[sort]


def walking_bounds(sort: ProductSort, filters: frozenset[str]) -> frozenset[str]:
    """Those of the filters that make no walk along the index of the sort long.

    They are a range of it, or what nearly everything is.
    """
    by_price = sort in (ProductSort.CHEAPEST, ProductSort.DEAREST)
    return filters & (PRICES | {"in_stock"} if by_price else {"in_stock"})
