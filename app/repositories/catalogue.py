"""What customers see of the catalogue, from PostgreSQL to the socket without a Python object in between.

PostgreSQL writes the JSON (app/repositories/products_read.py); tests hold it against the response models.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from app.core.batching import Batch
from app.core.pagination import Position
from app.core.reader import Query, Reader
from app.repositories.products_read import KEYS, PUBLISHED_BY_ID, PUBLISHED_BY_SLUG, counting, listing
from app.schemas.products import ProductQuery, ProductSort

Address = TypeVar("Address", UUID, str)
_BY_ID = Query(PUBLISHED_BY_ID)
_BY_SLUG = Query(PUBLISHED_BY_SLUG)


class PublishedProduct(NamedTuple):
    """`body` is a `ProductRead` in JSON."""

    body: str
    id: UUID
    version: int


class ListedProduct(NamedTuple):
    """`card` is a `ProductCard` in JSON; key and id are its place in the list."""

    card: str
    key: Any
    id: UUID


class CatalogueReader:
    """One for the life of the process: requests for single products travel together."""

    def __init__(self, reader: Reader, media_url: str) -> None:
        self._reader = reader
        self._media_url = media_url
        self._by_id = Batch(self._load_by_id)
        self._by_slug = Batch(self._load_by_slug)

    async def product(self, address: UUID | str) -> PublishedProduct | None:
        """The page of the product with this id or slug, if it is for sale."""
        return await (self._by_slug.get(address) if isinstance(address, str) else self._by_id.get(address))

    async def page(self, query: ProductQuery, position: Position | None) -> Sequence[ListedProduct]:
        """Up to `query.limit + 1` products, read from the position in its direction."""
        filters, parameters = _filters(query)
        parameters |= {"media_url": self._media_url, "limit": query.limit + 1}
        if position is not None:
            key, after_id = position.values
            parameters |= {"after_key": KEYS[query.order].read(key), "after_id": UUID(after_id)}
        statement = _listing(
            query.order,
            filters,
            backwards=position is not None and position.backwards,
            continued=position is not None,
        )
        return [ListedProduct(*row) for row in await self._reader.fetch(statement, **parameters)]

    async def count(self, query: ProductQuery) -> int:
        filters, parameters = _filters(query)
        [(total,)] = await self._reader.fetch(_counting(filters), **parameters)
        return int(total)

    async def _load_by_id(self, addresses: Sequence[UUID]) -> Mapping[UUID, PublishedProduct]:
        return await self._load(_BY_ID, addresses)

    async def _load_by_slug(self, addresses: Sequence[str]) -> Mapping[str, PublishedProduct]:
        return await self._load(_BY_SLUG, addresses)

    async def _load(self, query: Query, addresses: Sequence[Address]) -> Mapping[Address, PublishedProduct]:
        rows = await self._reader.fetch(query, addresses=addresses, media_url=self._media_url)
        return {address: PublishedProduct(*page) for address, *page in rows}


@cache
def _listing(sort: ProductSort, filters: frozenset[str], *, backwards: bool, continued: bool) -> Query:
    return Query(listing(sort, filters, backwards=backwards, continued=continued))


@cache
def _counting(filters: frozenset[str]) -> Query:
    return Query(counting(filters))


def _filters(query: ProductQuery) -> tuple[frozenset[str], dict[str, Any]]:
    """The names of the filters, and the parameters of those that have one.

    Stock is two filters rather than a parameter, so that PostgreSQL can look it up for a page's rows only.
    """
    parameters = query.filters()
    in_stock = parameters.pop("in_stock", None)
    availability = () if in_stock is None else ("in_stock",) if in_stock else ("sold_out",)
    return frozenset((*parameters, *availability)), parameters
