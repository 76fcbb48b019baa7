"""What completes a search box: names with words that begin like those typed, or else names that resemble them.

A statement looks at a bounded number of names, however many begin with an "a": first at those of the best-selling
products and at those that begin as a whole like what was typed. Only when they do not suffice it looks at what the
trigrams of the words lead to, and only when there is nothing at all at what resembles them.
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
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.core.reader import Query, Reader
from app.models.categories import Category
from app.models.listings import Listing, ListingWords
from app.models.products import Product
from app.repositories.json_building import json_object
from app.repositories.listings.cards import first_picture
from app.repositories.listings.filters import constant

BEST_SELLING = 1_000
MOST_NAMES = 100  # that begin as a whole like what was typed
MOST_LOOKED_AT = 1_000  # of those that the index leads to
MOST_CANDIDATES = 300
MOST_CATEGORIES = 3
# Whoever types more words, or longer ones, is understood by these; trigrams are looked up of the longest.
MOST_WORDS = 6
MOST_LOOKED_UP = 2
LONGEST_BEGINNING = 20
WITH_TRIGRAMS = 2  # characters
RESEMBLANCE = range(4, 31)  # characters: fewer resemble everything, and more take long
ALIKE = 0.5  # as in resembling_listings() of migration 0006

_WORD = re.compile(r"[^\W_]+")
_LIMIT = bindparam("limit", type_=BigInteger)
_TYPED = select(func.folded(bindparam("typed", type_=Text), type_=Text)).scalar_subquery()
_LAST_CHARACTER = literal_column("chr(1114111)", Text)


class SuggestionReader:
    def __init__(self, reader: Reader, media_url: str) -> None:
        self._reader = reader
        self._media_url = media_url

    async def completing(self, typed: str, limit: int) -> Sequence[str]:
        """Up to `limit` `Suggestion`s in JSON, the best first; none to what has no letter and no digit."""
        typed = " ".join(unicodedata.normalize("NFKC", typed).split())
        words = sorted(_WORD.findall(typed)[:MOST_WORDS], key=len, reverse=True)
        if not words:
            return []
        looked_up = sum(len(word) >= WITH_TRIGRAMS for word in words[:MOST_LOOKED_UP])
        rows = await self._reader.fetch(
            _suggestions(len(words), looked_up, resembling=len(typed) in RESEMBLANCE),
            typed=typed,
            limit=limit,
            media_url=self._media_url,
            **{f"word_{number}": word[:LONGEST_BEGINNING] for number, word in enumerate(words)},
        )
        return [suggestion for (suggestion,) in rows]


@cache
def _suggestions(words: int, looked_up: int, *, resembling: bool) -> Query:
    """Rows of a `Suggestion` in JSON. It takes `typed`, `limit`, `media_url` and each word as `word_N`.

    So many of the words, the first, are looked up by their trigrams.
    """
    beginnings = [_beginning(number) for number in range(words)]
    begun = _begun(beginnings, looked_up)
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
    return and_(true(), *(name.regexp_match(beginning) for beginning in beginnings))


def _begun(beginnings: Sequence[ColumnElement[str]], looked_up: int) -> CTE:
    """Rows of `product_id` and `place`: names that begin as a whole like what was typed, then by sales."""
    columns = (Listing.product_id, Listing.folded_name, Listing.units_sold)
    first = select(*columns).order_by(Listing.units_sold.desc(), Listing.product_id.desc())
    best_selling = first.limit(constant(BEST_SELLING)).subquery("best_selling")
    popular = select(best_selling).where(_begin_so(best_selling.c.folded_name, beginnings))
    from_here = select(*columns).where(Listing.folded_name >= _TYPED, Listing.folded_name < _TYPED + _LAST_CHARACTER)
    as_a_whole = from_here.order_by(Listing.folded_name, Listing.product_id).limit(constant(MOST_NAMES)).subquery()
    at_hand = union(popular, select(as_a_whole)).cte("at_hand")
    sources = [select(at_hand)]
    if looked_up:
        suffices = select(func.count() >= _LIMIT).select_from(at_hand).scalar_subquery()
        found = _by_trigrams(beginnings, looked_up, ~suffices)
        sources.append(select(*columns).join(found, found.c.product_id == Listing.product_id))
    either = union(*sources).subquery("either")
    order = (
        func.starts_with(either.c.folded_name, _TYPED).desc(),
        either.c.units_sold.desc(),
        either.c.product_id.desc(),
    )
    place = func.row_number().over(order_by=order).label("place")
    return select(either.c.product_id, place).order_by(*order).limit(_LIMIT).cte("begun")


def _by_trigrams(beginnings: Sequence[ColumnElement[str]], looked_up: int, condition: ColumnElement[bool]) -> Subquery:
    """Names that the index leads to, under the condition."""
    names = select(ListingWords.product_id, ListingWords.folded_name)
    indexed = names.where(_begin_so(ListingWords.folded_name, beginnings[:looked_up]), condition)
    looked_at = indexed.limit(constant(MOST_LOOKED_AT)).subquery("looked_at")
    fitting = select(looked_at.c.product_id).where(_begin_so(looked_at.c.folded_name, beginnings[looked_up:]))
    return fitting.limit(constant(MOST_CANDIDATES)).subquery("by_trigrams")


def _resembling(begun: CTE) -> Select[Any]:
    """Names that resemble what was typed, when none begins so."""
    found = func.resembling_listings(bindparam("typed", type_=Text), cast(_LIMIT, Integer)).table_valued(
        column("product_id", Uuid), column("similarity", Double)
    )
    place = func.row_number().over(order_by=(found.c.similarity.desc(), found.c.product_id.desc()))
    return select(found.c.product_id, constant(1), place).where(~select(begun.c.product_id).exists())


def _products(chosen: FromClause) -> Select[Any]:
    picture = first_picture(Product.id).lateral("picture")
    url = bindparam("media_url", type_=Text) + "/" + picture.c.picture
    thumbnail = case((picture.c.picture.is_not(None), json_object(url=url, alt=picture.c.alt)))
    suggestion = json_object(
        type=literal_column("'product'"), id=Product.id, text=Product.name, slug=Product.slug, thumbnail=thumbnail
    )
    columns = (chosen.c.guess, constant(1).label("is_product"), chosen.c.place, suggestion.label("suggestion"))
    products = select(*columns).select_from(chosen).join(Product, Product.id == chosen.c.product_id)
    return products.outerjoin(picture, true())


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
        type=literal_column("'category'"), id=named.c.id, text=named.c.name, slug=named.c.slug, thumbnail=null()
    )
    columns = (guess, constant(0).label("is_product"), func.row_number().over(order_by=order).label("place"))
    return (
        select(*columns, suggestion.label("suggestion")).where(found).order_by(*order).limit(constant(MOST_CATEGORIES))
    )
