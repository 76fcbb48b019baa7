"""What customers see of a product, from PostgreSQL to the socket without a Python object in between.

PostgreSQL writes the JSON (app/repositories/products_read.py); tests hold it against the response models.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar
from uuid import UUID

from app.core.batching import Batch
from app.core.reader import Query, Reader
from app.repositories.products_read import PUBLISHED_BY_ID, PUBLISHED_BY_SLUG

Address = TypeVar("Address", UUID, str)
_BY_ID = Query(PUBLISHED_BY_ID)
_BY_SLUG = Query(PUBLISHED_BY_SLUG)


class PublishedProduct(NamedTuple):
    """`body` is a `ProductRead` in JSON."""

    body: str
    id: UUID
    version: int


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

    async def _load_by_id(self, addresses: Sequence[UUID]) -> Mapping[UUID, PublishedProduct]:
        return await self._load(_BY_ID, addresses)

    async def _load_by_slug(self, addresses: Sequence[str]) -> Mapping[str, PublishedProduct]:
        return await self._load(_BY_SLUG, addresses)

    async def _load(self, query: Query, addresses: Sequence[Address]) -> Mapping[Address, PublishedProduct]:
        rows = await self._reader.fetch(query, addresses=addresses, media_url=self._media_url)
        return {address: PublishedProduct(*page) for address, *page in rows}
