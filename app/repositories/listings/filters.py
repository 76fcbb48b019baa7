"""What a list may be narrowed down to. All filters must hold."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
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
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from app.models.listings import LARGEST_BIGINT, SEPARATOR, Listing, ListingWords
from app.schemas.listings import MOST_ATTRIBUTES, ProductQuery

MOST_STATEMENTS = 500  # of each kind that are kept: whoever wants to can combine filters in thousands of ways
MOST_RESEMBLING = 200  # products whose names look like what was typed, when nothing is found by its words

ListingRows = type[Listing]  # or an alias of it: rows with the columns of a listing


def constant(number: int) -> ColumnElement[int]:
    """A number that is a part of the statement."""
    return literal_column(str(number), BigInteger)


_Q = bindparam("q", type_=Text)
_query = select(
    func.websearch_to_tsquery(literal_column("'english_unaccented'::regconfig"), _Q).label("words")
).subquery("query")
# Without a word to look for (`-mug`) it is NULL and finds nothing, for that would be a look at everything. A subquery
# is computed once; a function of a parameter would be for every row.
WORDS = select(_query.c.words).where(func.querytree(_query.c.words) != literal_column("'T'", Text)).scalar_subquery()
MATCHES = ListingWords.search_vector.bool_op("@@")(WORDS)
RANK = cast(func.ts_rank(ListingWords.search_vector, WORDS), Double)
_ANYTHING_FOUND = select(true()).where(MATCHES).limit(constant(1)).scalar_subquery()
_function = func.resembling_listings(_Q, cast(constant(MOST_RESEMBLING), Integer)).table_valued(
    column("product_id", Uuid), column("similarity", Double)
)
# Rows of `product_id` and `similarity` (0 to 1), and none when anything at all is found by its words.
RESEMBLING = (
    select(_function.c.product_id, _function.c.similarity)
    .where(WORDS.is_not(None), _ANYTHING_FOUND.is_(None))
    .cte("resembling")
)
_UNPRICED = literal_column(f"'{LARGEST_BIGINT}'::bigint", BigInteger)
RESEMBLING_IDS: ColumnElement[Any] = func.array(select(RESEMBLING.c.product_id).scalar_subquery(), type_=ARRAY(Uuid))


def price_or_last(listing: ListingRows) -> ColumnElement[int]:
    """What has no price comes after all prices."""
    return func.coalesce(listing.price_from, _UNPRICED)


def price_or_nothing(listing: ListingRows) -> ColumnElement[int]:
    """What has no price comes before all prices."""
    return func.coalesce(listing.price_from, literal_column("'-1'::bigint", BigInteger))


def _texts(values: ColumnElement[Any]) -> ColumnElement[Any]:
    """asyncpg is told that they are VARCHAR, and arrays of the two cannot be compared."""
    return cast(values, ARRAY(Text))


def filters_of(listing: ListingRows, price: ColumnElement[Any]) -> dict[str, ColumnElement[bool]]:
    """Each filter but `q` by its name; most take a parameter of that name."""
    attributes = {
        name: listing.attribute_values.overlap(_texts(bindparam(name, type_=ARRAY(Text))))
        for name in (f"attribute_{number}" for number in range(MOST_ATTRIBUTES))
    }
    return {
        "category": listing.category_slugs.contains(_texts(array([bindparam("category", type_=Text)]))),
        "price_gte": and_(price >= bindparam("price_gte", type_=BigInteger), price < _UNPRICED),
        "price_lte": price <= bindparam("price_lte", type_=BigInteger),
        "in_stock": listing.in_stock.expression,
        "sold_out": ~listing.in_stock,
        "rating_gte": listing.rating_average >= bindparam("rating_gte", type_=Numeric(3, 2)),
        "rating_lte": and_(
            listing.rating_average <= bindparam("rating_lte", type_=Numeric(3, 2)),
            listing.rating_count > constant(0),  # what nobody has rated is not rated badly
        ),
        **attributes,
    }


def conditions(names: Iterable[str], listing: ListingRows = Listing) -> list[ColumnElement[bool]]:
    """Of all filters but `q`.

    PostgreSQL plans for any value, and takes a range of prices for a narrow one. So the index of the prices is kept
    from it where a filter that has an index of its own narrows the list down further.
    """
    names = sorted(names)
    indexed = any(name == "category" or name.startswith("attribute_") for name in names)
    price: ColumnElement[Any] = listing.price_from.expression if indexed else price_or_last(listing)
    filters = filters_of(listing, price)
    return [filters[name] for name in names]


def has_words(listing: ListingRows) -> ColumnElement[bool]:
    """The filter `q` for rows that are few and at hand: OFFSET keeps the planner from looking for all matches."""
    words = select(ListingWords.product_id).where(ListingWords.product_id == listing.product_id, MATCHES)
    return or_(words.offset(constant(0)).exists(), listing.product_id == any_(RESEMBLING_IDS))


def listings_with(
    columns: Iterable[ColumnElement[Any]], names: frozenset[str], *more: ColumnElement[bool], most: int | None = None
) -> FromClause:
    """The listings that all of the filters leave; at most so many, whichever the indexes find first."""
    rows = select(*columns).where(*conditions(names - {"q"}), *more)
    limit = None if most is None else constant(most)
    if "q" not in names:
        return rows.limit(limit).subquery()
    by_words = rows.join(ListingWords, ListingWords.product_id == Listing.product_id).where(MATCHES)
    by_resemblance = rows.join(RESEMBLING, RESEMBLING.c.product_id == Listing.product_id)
    return union_all(by_words.limit(limit), by_resemblance).subquery()


def chosen(query: ProductQuery) -> tuple[frozenset[str], dict[str, Any]]:
    """The names of the filters in the query, and the parameters of those that have one.

    Stock is two filters rather than a parameter, and an attribute is a filter by its number in the order of names.
    """
    parameters = query.filters()
    in_stock = parameters.pop("in_stock", None)
    availability = () if in_stock is None else ("in_stock",) if in_stock else ("sold_out",)
    for number, (name, values) in enumerate(query.attributes.items()):
        parameters[f"attribute_{number}"] = [f"{name}{SEPARATOR}{value}" for value in values]
    return frozenset((*parameters, *availability)), parameters
