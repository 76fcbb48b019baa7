"""The pages of a list, and how long it is."""

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    func,
    select,
    union_all,
)

from app.core.reader import Query
from app.models.listings import Listing
from app.models.products import Product
from app.repositories.keyset import seek
from app.repositories.listings.cards import CARD_COLUMNS, card_of
from app.repositories.listings.filters import RESEMBLING, conditions, constant
from app.repositories.listings.sorting import Order, order_of
from app.schemas.listings import ProductSort

# So many matches of a search are ranked, which takes a few milliseconds. When there are more, the words are found
# everywhere: the best-selling ones are ranked, and the rest is left out.
MOST_RANKED = 5_000
RANKED_OF_MORE = 1_000


@cache
def listing(sort: ProductSort, filters: frozenset[str], *, backwards: bool, continued: bool) -> Query:
    """Rows of a `ProductCard` in JSON and then the keys of the order, in the direction of reading.

    It takes the parameters of the filters, `limit`, `media_url` and, when continued, `after_...` for each key.
    An inner query picks the rows of the page; only for those the outer one assembles cards.
    """
    order = order_of(sort, filters)
    falling = order.falling is not backwards
    after = [key.parameter for key in order.keys] if continued else None

    def cut(rows: Select[Any], keys: list[ColumnElement[Any]]) -> FromClause:
        labelled = [value.label(f"key_{key.name}") for key, value in zip(order.keys, keys, strict=True)]
        limit = bindparam("limit", type_=BigInteger)
        return seek(rows.add_columns(*labelled), *keys, falling=falling, after=after).limit(limit).subquery("page")

    if sort is ProductSort.RELEVANCE:
        ranked = _ranked(order, filters)
        places = cut(select(), [ranked.c[key.name] for key in order.keys])
        page: FromClause = (
            select(*CARD_COLUMNS, *places.c).join(places, places.c.key_product_id == Listing.product_id).subquery()
        )
    else:
        page = cut(select(*CARD_COLUMNS).where(*conditions(filters)), [key.value for key in order.keys])
    keys = [page.c[f"key_{key.name}"] for key in order.keys]
    cards = select(card_of(page), *keys).join(Product, Product.id == page.c.product_id)
    return Query(seek(cards, *keys, falling=falling, after=None))


def _ranked(order: Order, filters: frozenset[str]) -> FromClause:
    """The keys of what is to be sorted by relevance."""
    matches = (
        select(*(key.value.label(key.name) for key in order.keys))
        .join(RESEMBLING, RESEMBLING.c.product_id == Listing.product_id, isouter=True)
        .where(*conditions(filters))
    )
    first = matches.limit(constant(MOST_RANKED + 1)).cte("first_matches")
    how_many = select(func.count()).select_from(first).scalar_subquery()
    most_ranked = constant(MOST_RANKED)
    best_selling = (
        matches.where(how_many > most_ranked)
        .order_by(Listing.units_sold.desc(), Listing.product_id.desc())
        .limit(constant(RANKED_OF_MORE))
        .subquery()
    )
    return union_all(select(first).where(how_many <= most_ranked), select(best_selling)).subquery("ranked")


@cache
def counting(filters: frozenset[str]) -> Query:
    """How many products the list has in all; takes the parameters of the filters."""
    return Query(select(func.count()).select_from(Listing).where(*conditions(filters)))
