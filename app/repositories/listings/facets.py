"""What each filter would leave: counts that respect all the other filters.

A facet counts the products that the list would have without the facet's own filter. Facets without a filter share
one set of products, the list itself. Of a set larger than `MOST_COUNTED` only so many are looked at, so that the
whole catalogue takes no longer than a large department; the facet then says that it is capped.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Text,
    any_,
    bindparam,
    cast,
    column,
    false,
    func,
    literal_column,
    select,
    true,
    union_all,
)

from app.core.reader import Query
from app.models.categories import Category
from app.models.listings import SEPARATOR, Listing
from app.repositories.json_building import json_array, json_money, json_object
from app.repositories.listings.filters import MOST_STATEMENTS, conditions, constant, listings_with

MOST_COUNTED = 5_000
MOST_CATEGORIES = 100
MOST_ATTRIBUTES = 20
MOST_VALUES = 20

_PRICE = frozenset({"price_gte", "price_lte"})
_RATING = frozenset({"rating_gte", "rating_lte"})
_AVAILABILITY = frozenset({"in_stock", "sold_out"})
_COUNTED: tuple[ColumnElement[Any], ...] = (
    Listing.price_from.expression,
    Listing.currency.expression,
    Listing.rating_average.expression,
    Listing.in_stock.expression,
    Listing.category_slugs.expression,
    Listing.attribute_values.expression,
)
_WITHOUT_INDEX = frozenset({"in_stock"})  # nearly everything is


@lru_cache(MOST_STATEMENTS)
def facets(filters: frozenset[str]) -> Query:
    """One row with the `Facets` in JSON.

    It takes the parameters of the filters and, for each `attribute_N`, the attribute's name as `attribute_N_name`.
    """
    sets = _Sets(filters)
    return Query(
        select(
            cast(
                json_object(
                    categories=_categories(sets.without("category")),
                    price=_price(sets.without(*_PRICE)),
                    rating=_rating(sets.without(*_RATING)),
                    availability=_availability(sets.without(*_AVAILABILITY)),
                    attributes=_attributes(sets, sorted(name for name in filters if name.startswith("attribute_"))),
                ),
                Text,
            )
        )
    )


class _Sets:
    """The products that are left by some of the filters, each set once in the statement."""

    def __init__(self, filters: frozenset[str]) -> None:
        self._filters = filters
        self._sets: dict[frozenset[str], CTE] = {}

    def without(self, *own: str) -> CTE:
        rest = self._filters.difference(own)
        if rest not in self._sets:
            self._sets[rest] = _counted(rest).cte(f"set_{len(self._sets)}")
        return self._sets[rest]


def _counted(filters: frozenset[str]) -> Select[Any]:
    if filters <= _WITHOUT_INDEX:
        best_selling = select(*_COUNTED).order_by(Listing.units_sold.desc(), Listing.product_id.desc())
        return best_selling.where(*conditions(filters)).limit(constant(MOST_COUNTED + 1))
    return select(listings_with(_COUNTED, filters, most=MOST_COUNTED + 1))


def _capped(products: CTE) -> ColumnElement[bool]:
    return select(func.count() > constant(MOST_COUNTED)).select_from(products).scalar_subquery()


def _facet(values: ColumnElement[Any], products: CTE) -> ColumnElement[Any]:
    return json_object(values=values, capped=_capped(products))


def _occurrences(products: CTE, arrays: ColumnElement[list[str]]) -> Subquery:
    """How many of the products have each value in their array: rows of value and n."""
    each = func.unnest(arrays).table_valued(column("value", Text), name="each").render_derived()
    return select(each.c.value, func.count().label("n")).select_from(products, each).group_by(each.c.value).subquery()


def _categories(products: CTE) -> ColumnElement[Any]:
    counted = _occurrences(products, products.c.category_slugs)
    fullest = (
        select(Category.slug, Category.name, counted.c.n)
        .join(counted, counted.c.value == Category.slug)
        .order_by(counted.c.n.desc(), Category.slug)
        .limit(constant(MOST_CATEGORIES))
        .subquery()
    )
    value = json_object(value=fullest.c.slug, count=fullest.c.n, name=fullest.c.name)
    return _facet(select(json_array(value, fullest.c.n.desc(), fullest.c.slug)).scalar_subquery(), products)


def _price(products: CTE) -> ColumnElement[Any]:
    price, currency = products.c.price_from, func.min(products.c.currency)
    limits = json_object(
        min=json_money(func.min(price), currency), max=json_money(func.max(price), currency), capped=_capped(products)
    )
    return select(limits).select_from(products).scalar_subquery()


def _rating(products: CTE) -> ColumnElement[Any]:
    stars = (constant(stars) for stars in (4, 3, 2, 1))
    values = [json_object(value=star, count=func.count().filter(products.c.rating_average >= star)) for star in stars]
    return _facet(select(func.json_build_array(*values)).select_from(products).scalar_subquery(), products)


def _availability(products: CTE) -> ColumnElement[Any]:
    values = [
        json_object(value=true(), count=func.count().filter(products.c.in_stock)),
        json_object(value=false(), count=func.count().filter(~products.c.in_stock)),
    ]
    return _facet(select(func.json_build_array(*values)).select_from(products).scalar_subquery(), products)


def _attributes(sets: _Sets, chosen: list[str]) -> ColumnElement[Any]:
    """An attribute that is filtered by is counted without its own filter, the others in the list itself."""
    of_list = _attribute_values(sets.without())
    counts = [of_list.where(*(of_list.selected_columns.name != _name_of(each) for each in chosen))]
    for each in chosen:
        of_own_set = _attribute_values(sets.without(each), bindparam(each, type_=ARRAY(Text)))
        counts.append(of_own_set.where(of_own_set.selected_columns.name == _name_of(each)))
    counted = union_all(*counts).subquery("counted").c

    first_what_was_chosen = (counted.chosen.desc(), counted.n.desc(), counted.value)
    place = func.row_number().over(partition_by=counted.name, order_by=first_what_was_chosen)
    ranked = select(*counted, place.label("place")).subquery("ranked").c
    values = json_array(json_object(value=ranked.value, count=ranked.n), ranked.place)
    by_name = (
        select(ranked.name, json_object(values=values, capped=func.bool_or(ranked.capped)).label("facet"))
        .where(ranked.place <= constant(MOST_VALUES))
        .group_by(ranked.name)
        .order_by(func.bool_or(ranked.chosen).desc(), func.sum(ranked.n).desc(), ranked.name)
        .limit(constant(MOST_ATTRIBUTES))
        .subquery("by_name")
        .c
    )
    by_names = func.json_object_agg(by_name.name, by_name.facet).aggregate_order_by(by_name.name)
    return select(func.coalesce(by_names, literal_column("'{}'::json"))).scalar_subquery()


def _name_of(filter_: str) -> ColumnElement[str]:
    return bindparam(f"{filter_}_name", type_=Text)


def _attribute_values(products: CTE, chosen: ColumnElement[Any] | None = None) -> Select[Any]:
    """Rows of name, value, n, and whether it is one of the `chosen`."""
    both = _occurrences(products, products.c.attribute_values).c
    separator = func.chr(constant(ord(SEPARATOR)).cast(Integer))
    name = func.split_part(both.value, separator, constant(1).cast(Integer), type_=Text)
    return select(
        name.label("name"),
        func.substr(both.value, func.length(name) + constant(2).cast(Integer), type_=Text).label("value"),
        both.n,
        (false() if chosen is None else both.value == any_(chosen)).label("chosen"),
        _capped(products).label("capped"),
    )
