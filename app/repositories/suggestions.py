"""What completes a search box: names with words that begin like those typed, then names that resemble a mistyped one.

A statement looks at a bounded number of names, however many begin with an "a": first at those of the best-selling
products, and only when they do not suffice at what the trigrams of the words lead to.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.core.reader import Query, Reader
from app.models.categories import Category
from app.models.listings import Listing, ListingWords
from app.models.products import Product
from app.repositories.json_building import json_object
from app.repositories.listings.cards import THUMBNAIL
from app.repositories.listings.filters import constant

BEST_SELLING = 1_000
MOST_CANDIDATES = 500
MOST_CATEGORIES = 3
# Whoever types more words, or longer ones, is understood by these.
MOST_WORDS = 6
LONGEST_BEGINNING = 20
RESEMBLANCE = range(4, 61)  # characters: less resembles everything, and no name is that long
ALIKE = 0.45  # as in resembling_listings() of migration 0006

_WORD = re.compile(r"[^\W_]+")
_LIMIT = bindparam("limit", type_=BigInteger)
_TYPED = select(func.folded(bindparam("typed", type_=Text), type_=Text)).scalar_subquery()
_NONE = literal_column("NULL")


class SuggestionReader:
    def __init__(self, reader: Reader, media_url: str) -> None:
        self._reader = reader
        self._media_url = media_url

    async def completing(self, typed: str, limit: int) -> Sequence[str]:
        """Up to `limit` `Suggestion`s in JSON, the best first; none to what has no letter and no digit."""
        typed = unicodedata.normalize("NFKC", typed).strip()
        words = _WORD.findall(typed)[:MOST_WORDS]
        if not words:
            return []
        rows = await self._reader.fetch(
            _suggestions(len(words), resembling=len(typed) in RESEMBLANCE),
            typed=typed,
            limit=limit,
            media_url=self._media_url,
            **{f"word_{number}": word[:LONGEST_BEGINNING] for number, word in enumerate(words)},
        )
        return [suggestion for (suggestion,) in rows]


@cache
def _suggestions(words: int, *, resembling: bool) -> Query:
    """Rows of a `Suggestion` in JSON. It takes `typed`, `limit`, `media_url` and each word as `word_N`."""
    beginnings = [_beginning(number) for number in range(words)]
    begun = _begun(beginnings)
    products = select(begun.c.product_id, constant(0).label("guess"), begun.c.place)
    chosen = union_all(products, _resembling(begun)).subquery() if resembling else products.subquery()
    suggested = union_all(
        _categories(beginnings, resembling=resembling).subquery().select(), _products(chosen)
    ).subquery("suggested")
    keys = (suggested.c.guess, suggested.c.is_product, suggested.c.place)
    return Query(select(cast(suggested.c.suggestion, Text)).order_by(*keys).limit(_LIMIT))


def _beginning(number: int) -> ColumnElement[str]:
    """A regular expression for names in which a word begins so; trigrams know where words begin.

    It spells out what stands between words: names are compared by code points, where `[^[:alnum:]]` would be a "ж"
    too, and no use to trigrams. Folding may bring punctuation into a word (½ is 1/2).
    """
    word = func.btrim(func.folded(bindparam(f"word_{number}", type_=Text)))
    escaped = func.regexp_replace(
        word, literal_column("'([^[:alnum:]])'"), literal_column(r"'\\\1'"), literal_column("'g'")
    )
    return select(literal_column("'(^|[ -/:-@[-`{-~])'", Text) + escaped).scalar_subquery()


def _begin_so(
    name: ColumnElement[Any] | InstrumentedAttribute[Any], beginnings: Sequence[ColumnElement[str]]
) -> ColumnElement[bool]:
    return and_(*(name.regexp_match(beginning) for beginning in beginnings))


def _begun(beginnings: Sequence[ColumnElement[str]]) -> CTE:
    """Rows of `product_id` and `place`: names that begin as a whole like what was typed, then by sales."""
    columns = (Listing.product_id, Listing.folded_name, Listing.units_sold)
    first = select(*columns).order_by(Listing.units_sold.desc(), Listing.product_id.desc())
    best_selling = first.limit(constant(BEST_SELLING)).subquery("best_selling")
    popular = select(best_selling).where(_begin_so(best_selling.c.folded_name, beginnings)).cte("popular")
    suffices = select(func.count() >= _LIMIT).select_from(popular).scalar_subquery()
    by_trigrams = (
        select(ListingWords.product_id)
        .where(_begin_so(ListingWords.folded_name, beginnings), ~suffices)
        .limit(constant(MOST_CANDIDATES))
        .cte("by_trigrams")
    )
    others = select(*columns).join(by_trigrams, by_trigrams.c.product_id == Listing.product_id)
    either = union(select(popular), others).subquery("either")
    as_a_whole = func.starts_with(either.c.folded_name, _TYPED)
    order = (as_a_whole.desc(), either.c.units_sold.desc(), either.c.product_id.desc())
    place = func.row_number().over(order_by=order).label("place")
    return select(either.c.product_id, place).order_by(*order).limit(_LIMIT).cte("begun")


def _resembling(begun: CTE) -> Select[Any]:
    """Names that resemble what was typed, when too few begin so."""
    found = func.resembling_listings(bindparam("typed", type_=Text), cast(_LIMIT, Integer)).table_valued(
        column("product_id", Uuid), column("similarity", Double)
    )
    too_few = select(func.count() < _LIMIT).select_from(begun).scalar_subquery()
    place = func.row_number().over(order_by=(found.c.similarity.desc(), found.c.product_id.desc()))
    begins_so = select(begun.c.product_id).where(begun.c.product_id == found.c.product_id).exists()
    return select(found.c.product_id, constant(1), place).where(too_few, ~begins_so)


def _products(chosen: FromClause) -> Select[Any]:
    suggestion = json_object(
        type=literal_column("'product'"), id=Product.id, text=Product.name, slug=Product.slug, thumbnail=THUMBNAIL
    )
    columns = (chosen.c.guess, constant(1).label("is_product"), chosen.c.place, suggestion.label("suggestion"))
    return select(*columns).join(chosen, chosen.c.product_id == Product.id)


def _categories(beginnings: Sequence[ColumnElement[str]], *, resembling: bool) -> Select[Any]:
    """A shop has few, and all their names are looked at."""
    folded = select(
        Category.id,
        Category.name,
        Category.slug,
        Category.path,
        func.folded(Category.name, type_=Text).collate("C").label("folded_name"),
    )
    named = folded.offset(constant(0)).subquery("named")
    begins_so = _begin_so(named.c.folded_name, beginnings)
    similarity = func.word_similarity(_TYPED, named.c.folded_name)
    found = or_(begins_so, similarity >= literal_column(str(ALIKE), Double)) if resembling else begins_so
    guess = case((begins_so, constant(0)), else_=constant(1)).label("guess")
    order = (guess, similarity.desc(), named.c.path)
    suggestion = json_object(
        type=literal_column("'category'"), id=named.c.id, text=named.c.name, slug=named.c.slug, thumbnail=_NONE
    )
    columns = (guess, constant(0).label("is_product"), func.row_number().over(order_by=order).label("place"))
    return (
        select(*columns, suggestion.label("suggestion")).where(found).order_by(*order).limit(constant(MOST_CATEGORIES))
    )
