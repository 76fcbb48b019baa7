"""Runs the statements of the lists."""

from collections.abc import Sequence
from time import monotonic
from typing import Any, NamedTuple

import asyncpg

from app.core.pagination import Position
from app.core.reader import Reader
from app.repositories.listings.cards import card_of
from app.repositories.listings.facets import facets
from app.repositories.listings.filters import chosen
from app.repositories.listings.pages import counting, listing, nearby
from app.repositories.listings.sorting import Order, order_of, walking_bounds
from app.schemas.listings import ProductQuery


class ListedProduct(NamedTuple):
    """`card` is a `ProductCard`, ready for JSON; `place` is where it stands in the list."""

    card: dict[str, Any]
    place: tuple[Any, ...]


class SparseLists:
    """Lists that a short walk finds little of, so that it is not taken again and again; for ten minutes.

    Being wrong here makes a list slower and never different.
    """

    MOST = 2_000
    SECONDS = 600

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._since = monotonic()

    def __contains__(self, asked: str) -> bool:
        return asked in self._known

    def add(self, asked: str) -> None:
        if len(self._known) >= self.MOST or monotonic() - self._since > self.SECONDS:
            self._known.clear()
            self._since = monotonic()
        self._known.add(asked)


class ListingReader:
    def __init__(self, reader: Reader, media_url: str) -> None:
        self._reader = reader
        self._media_url = media_url
        self._sparse = SparseLists()

    async def page(self, query: ProductQuery, position: Position | None) -> Sequence[ListedProduct]:
        """Up to `query.limit + 1` products, read from the position in its direction."""
        filters, parameters = chosen(query)
        narrowed = {name: parameters.get(name) for name in sorted(filters - walking_bounds(query.order, filters))}
        asked = str((query.order, narrowed))
        backwards, continued = position is not None and position.backwards, position is not None
        parameters["limit"] = query.limit + 1
        order = order_of(query.order, filters)
        if position is not None:
            parameters |= order.after(position.values)

        walk = nearby(query.order, filters, backwards=backwards, continued=continued)
        if walk is not None and asked not in self._sparse:
            rows = await self._reader.fetch(walk, **parameters)
            if len(rows) > query.limit:
                return self._listed(rows, order)
            if len(rows) <= query.limit / 2:
                self._sparse.add(asked)
        everything = listing(query.order, filters, backwards=backwards, continued=continued)
        return self._listed(await self._reader.fetch(everything, **parameters), order)

    async def count(self, query: ProductQuery) -> int:
        filters, parameters = chosen(query)
        [(total,)] = await self._reader.fetch(counting(filters), **parameters)
        return int(total)

    async def facets(self, query: ProductQuery) -> str:
        """The `Facets` of the list in JSON."""
        filters, parameters = chosen(query)
        names = {f"attribute_{number}_name": name for number, name in enumerate(query.attributes)}
        [(found,)] = await self._reader.fetch(facets(filters), **parameters, **names)
        return str(found)

    def _listed(self, rows: Sequence[asyncpg.Record], order: Order) -> Sequence[ListedProduct]:
        keys = [f"key_{key.name}" for key in order.keys]
        return [ListedProduct(card_of(row, self._media_url), tuple(row[key] for key in keys)) for row in rows]
