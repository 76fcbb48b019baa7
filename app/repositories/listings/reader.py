"""Runs the statements of the lists."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.core.pagination import Position
from app.core.reader import Reader
from app.repositories.listings.facets import facets
from app.repositories.listings.filters import chosen
from app.repositories.listings.pages import counting, listing
from app.repositories.listings.sorting import order_of
from app.schemas.listings import ProductQuery


class ListedProduct(NamedTuple):
    """`card` is a `ProductCard` in JSON; `place` is where it stands in the list."""

    card: str
    place: tuple[Any, ...]


class ListingReader:
    def __init__(self, reader: Reader, media_url: str) -> None:
        self._reader = reader
        self._media_url = media_url

    async def page(self, query: ProductQuery, position: Position | None) -> Sequence[ListedProduct]:
        """Up to `query.limit + 1` products, read from the position in its direction."""
        filters, parameters = chosen(query)
        place = {} if position is None else order_of(query.order, filters).after(position.values)
        statement = listing(
            query.order,
            filters,
            backwards=position is not None and position.backwards,
            continued=position is not None,
        )
        rows = await self._reader.fetch(
            statement, **parameters, **place, media_url=self._media_url, limit=query.limit + 1
        )
        return [ListedProduct(card, tuple(place)) for card, *place in rows]

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
