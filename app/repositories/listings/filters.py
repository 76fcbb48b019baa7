"""What a list may be narrowed down to. All filters must hold."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Numeric,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased

from app.models.listings import LARGEST_BIGINT, SEPARATOR, Listing
from app.schemas.listings import MOST_ATTRIBUTES, ProductQuery

MOST_RESEMBLING = 200  # products whose names look like what was typed, when nothing is found by its words


def constant(number: int) -> ColumnElement[int]:
    """A number that is part of the statement, for the planner to reckon with."""
    return literal_column(str(number), BigInteger)


_Q = bindparam("q", type_=Text)
WORDS = func.websearch_to_tsquery(literal_column("'english_unaccented'::regconfig"), _Q)

_any = aliased(Listing)
# The order is that of an index: a word that stands everywhere is found in the first row.
_ANYTHING_FOUND = (
    select(true())
    .where(_any.search_vector.bool_op("@@")(WORDS))
    .order_by(_any.units_sold.desc(), _any.product_id.desc())
    .limit(constant(1))
    .scalar_subquery()
)
_function = func.resembling_listings(_Q, cast(constant(MOST_RESEMBLING), Integer)).table_valued(
    column("product_id", Uuid), column("similarity", Double)
)
# Rows of `product_id` and `similarity` (0 to 1), and none when anything at all is found by its words.
RESEMBLING = select(_function.c.product_id, _function.c.similarity).where(_ANYTHING_FOUND.is_(None)).cte("resembling")
_resembling_ids: ColumnElement[Any] = func.array(select(RESEMBLING.c.product_id).scalar_subquery(), type_=ARRAY(Uuid))

# Without a price comes after every price, and is within no range of prices.
PRICE_OR_LAST = func.coalesce(Listing.price_from, literal_column(f"'{LARGEST_BIGINT}'::bigint", BigInteger))
PRICE_OR_NONE = func.coalesce(Listing.price_from, literal_column("'-1'::bigint", BigInteger))


def _texts(values: ColumnElement[Any]) -> ColumnElement[Any]:
    """asyncpg is told that they are VARCHAR, and arrays of the two cannot be compared."""
    return cast(values, ARRAY(Text))


FILTERS: dict[str, ColumnElement[bool]] = {
    "q": or_(Listing.search_vector.bool_op("@@")(WORDS), Listing.product_id == any_(_resembling_ids)),
    "category": Listing.category_slugs.contains(_texts(array([bindparam("category", type_=Text)]))),
    "price_gte": and_(
        bindparam("price_gte", type_=BigInteger) <= PRICE_OR_LAST,
        literal_column(f"'{LARGEST_BIGINT}'::bigint", BigInteger) > PRICE_OR_LAST,
    ),
    "price_lte": bindparam("price_lte", type_=BigInteger) >= PRICE_OR_LAST,
    "in_stock": Listing.in_stock.expression,
    "sold_out": ~Listing.in_stock,
    "rating_gte": Listing.rating_average >= bindparam("rating_gte", type_=Numeric(3, 2)),
    "rating_lte": and_(
        Listing.rating_average <= bindparam("rating_lte", type_=Numeric(3, 2)),
        Listing.rating_count > constant(0),  # what nobody has rated is not rated badly
    ),
    **{
        f"attribute_{number}": Listing.attribute_values.overlap(
            _texts(bindparam(f"attribute_{number}", type_=ARRAY(Text)))
        )
        for number in range(MOST_ATTRIBUTES)
    },
}
# What is left out when the choices of a facet are counted; those of attributes are one by one.
OF_FACETS = {
    "categories": {"category"},
    "price": {"price_gte", "price_lte"},
    "rating": {"rating_gte", "rating_lte"},
    "availability": {"in_stock", "sold_out"},
}


def conditions(names: Iterable[str]) -> list[ColumnElement[bool]]:
    return [FILTERS[name] for name in sorted(names)]


def chosen(query: ProductQuery) -> tuple[frozenset[str], dict[str, Any]]:
    """The names of the filters in the query, and the parameters of those that have one.

    Stock is two filters rather than a parameter, and an attribute is a filter by its number in the order of names.
    """
    parameters = query.filters()
    in_stock = parameters.pop("in_stock", None)
    availability = () if in_stock is None else ("in_stock",) if in_stock else ("sold_out",)
    for number, (name, values) in enumerate(sorted(query.attributes.items())):
        parameters[f"attribute_{number}"] = [f"{name}{SEPARATOR}{value}" for value in values]
    return frozenset((*parameters, *availability)), parameters
