"""The pages of a list, and how long it is.

How they are found is decided here and not by the planner, who knows nothing of what goes together (the dear things
are all in a few categories, say) and would now and then walk along a whole index. A page is looked for `nearby`, among
the next `WALKED` rows in the order of the list. When it is not there, because the filters are rare or their products
far away, all that the indexes of the filters find is sorted: `listing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    func,
    select,
    true,
    union,
)
from sqlalchemy.orm import aliased

from app.core.reader import Query
from app.models.listings import Listing, ListingWords
from app.repositories.keyset import beyond, seek
from app.repositories.listings.cards import for_card, rows_for_cards
from app.repositories.listings.filters import (
    MATCHES,
    MOST_STATEMENTS,
    RANK,
    RESEMBLING,
    ListingRows,
    conditions,
    constant,
    has_words,
    listings_with,
)
from app.repositories.listings.sorting import Order, order_of, walking_bounds
from app.schemas.base import LONGEST_PAGE
from app.schemas.listings import ProductSort

WALKED = 500
WALKED_FOR_WORDS = 2_000  # each a look into another table
# So many matches of a search are ranked. Where there are more, those among the best-selling products are so as well.
MOST_RANKED = 5_000
BEST_SELLING = 1_000

_LIMIT = bindparam("limit", type_=BigInteger)
_LONGEST_PAGE = constant(LONGEST_PAGE + 1)  # and a row that tells that there are more


@lru_cache(MOST_STATEMENTS)
def listing(sort: ProductSort, filters: frozenset[str], *, backwards: bool, continued: bool) -> Query:
    """Rows of what `card_of` takes and of the keys of the order, `key_...`, in the direction of reading.

    It takes the parameters of the filters, `limit` and, when continued, `after_...` for each key. Texts and pictures
    are looked up last, and only for the rows of the page.
    """
    reading = _Reading(order_of(sort, filters), backwards=backwards, continued=continued)
    if sort is ProductSort.RELEVANCE:
        return _cards(reading, _ranked(reading, filters))
    if filters == walking_bounds(sort, filters):
        return _cards(reading, _page(_walk(reading, filters)))
    return _cards(reading, _sorted(reading, filters))


@lru_cache(MOST_STATEMENTS)
def nearby(sort: ProductSort, filters: frozenset[str], *, backwards: bool, continued: bool) -> Query | None:
    """What a short walk finds of the same page; None where there is no walk, or `listing` is one."""
    bounds = walking_bounds(sort, filters)
    if sort is ProductSort.RELEVANCE or filters == bounds:
        return None
    reading = _Reading(order_of(sort, filters), backwards=backwards, continued=continued)
    return _cards(reading, _walked(reading, filters, bounds))


@lru_cache(MOST_STATEMENTS)
def counting(filters: frozenset[str]) -> Query:
    """How many products the list has in all; takes the parameters of the filters."""
    return Query(select(func.count()).select_from(listings_with([Listing.product_id.expression], filters)))


@dataclass(frozen=True, slots=True)
class _Reading:
    """Which way an order is read, and whether from its beginning. The keys travel as columns `key_...`."""

    order: Order
    backwards: bool
    continued: bool

    @property
    def falling(self) -> bool:
        return self.order.falling is not self.backwards

    def keys_of(self, listing: ListingRows) -> list[ColumnElement[Any]]:
        return [key.of(listing).label(f"key_{key.name}") for key in self.order.keys]

    def keys_in(self, rows: FromClause) -> list[ColumnElement[Any]]:
        return [rows.c[f"key_{key.name}"] for key in self.order.keys]

    @property
    def place(self) -> list[BindParameter[Any]] | None:
        return [key.parameter for key in self.order.keys] if self.continued else None

    def onwards(self, rows: Select[Any], keys: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Those after the place where the reading begins, in order."""
        return seek(rows, *keys, falling=self.falling, after=self.place)

    def in_order(self, rows: Select[Any], source: FromClause) -> Select[Any]:
        return seek(rows, *self.keys_in(source), falling=self.falling, after=None)


def _page(rows: Select[Any]) -> FromClause:
    """The first of the rows.

    Of a limit that is a parameter the planner thinks that it is a tenth of the table, and so would read whole tables
    rather than the rows of a page one by one. That there is a longest page it understands.
    """
    return select(rows.limit(_LIMIT).subquery()).limit(_LONGEST_PAGE).subquery()


def _cards(reading: _Reading, page: FromClause) -> Query:
    return Query(reading.in_order(rows_for_cards(page, *reading.keys_in(page)), page))


def _walk(reading: _Reading, bounds: frozenset[str]) -> Select[Any]:
    keys = [key.of(Listing) for key in reading.order.keys]
    return reading.onwards(select(Listing, *reading.keys_of(Listing)).where(*conditions(bounds)), keys)


def _walked(reading: _Reading, filters: frozenset[str], bounds: frozenset[str]) -> FromClause:
    walk = _walk(reading, bounds).limit(constant(WALKED_FOR_WORDS if "q" in filters else WALKED))
    next_rows = walk.subquery("next_rows")
    ahead = aliased(Listing, next_rows)
    rows = select(*for_card(ahead), *reading.keys_in(next_rows)).where(*conditions(filters - bounds - {"q"}, ahead))
    rows = rows.where(has_words(ahead)) if "q" in filters else rows
    return _page(reading.in_order(rows, next_rows))


def _sorted(reading: _Reading, filters: frozenset[str]) -> FromClause:
    keys = [key.of(Listing) for key in reading.order.keys]
    rest = [] if reading.place is None else [beyond(*keys, falling=reading.falling, after=reading.place)]
    columns = [*for_card(Listing), *reading.keys_of(Listing)]
    # OFFSET: or the planner would rather walk along the order until it has met enough of them.
    found = select(listings_with(columns, filters, *rest)).offset(constant(0)).subquery("found")
    return _page(reading.in_order(select(found), found))


def _ranked(reading: _Reading, filters: frozenset[str]) -> FromClause:
    others = filters - {"q"}

    def of_ranked(rows: FromClause, rank: ColumnElement[float]) -> Select[Any]:
        ranked = select(rank.label("key_rank"), rows.c.product_id.label("key_product_id"))
        listed = ranked.join(Listing, Listing.product_id == rows.c.product_id).where(*conditions(others))
        return listed if others else ranked

    words = ListingWords.__table__
    first = of_ranked(words, RANK).where(MATCHES).limit(constant(MOST_RANKED + 1)).cte("first_matches")
    too_many = select(func.count() > constant(MOST_RANKED)).select_from(first).scalar_subquery()
    popular = select(Listing).order_by(Listing.units_sold.desc(), Listing.product_id.desc())
    best_selling = aliased(Listing, popular.limit(constant(BEST_SELLING)).subquery("best_selling"))
    rank = select(RANK.label("rank")).where(ListingWords.product_id == best_selling.product_id, MATCHES)
    one_by_one = rank.offset(constant(0)).lateral("one_by_one")  # OFFSET: without a look at all matches
    more = (
        select(one_by_one.c.rank, best_selling.product_id)
        .join(one_by_one, true())
        .where(too_many, *conditions(others, best_selling))
    )
    candidates = union(select(first), more, of_ranked(RESEMBLING, RESEMBLING.c.similarity)).subquery("candidates")
    places = _page(reading.onwards(select(candidates), reading.keys_in(candidates)))
    cards = select(*for_card(Listing), *places.c).join(places, places.c.key_product_id == Listing.product_id)
    return cards.subquery("page")
