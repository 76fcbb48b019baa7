"""Pictures of products: taken in, made smaller, shown in an order, and deleted when nobody shows them any more.

Objects in the store are named by their content. Whoever uploads the same picture twice uploads it once, an address
never changes its meaning and may be cached for ever, and a key says nothing about whose picture it is. The price is
that no row owns an object, so that deleting a row cannot delete one. Instead:

- `unused_media` holds every key that may belong to no picture. An upload notes its key there before it stores the
  object; a trigger notes the key of every picture that is deleted.
- A day later the sweep deletes the objects of those keys that no picture has. While it does, it holds the rows of
  `unused_media`: an upload of the same picture waits, and stores the object again afterwards; an upload that has
  noted its key already has made it young again, and the sweep passes it over.

So an object that a row refers to is never deleted, and what a crash leaves behind is found, without asking the store
for a list of all it has.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import UUID

from app.core.conditional import Versions
from app.core.logging import get_logger
from app.core.threads import BoundedThreads
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import NotFound, TooManyPictures
from app.gateways.media_store import MediaStore, StoredObject
from app.models.products import Product, ProductMedia
from app.schemas.media import MOST_PICTURES, MediaRead, MediaUpdate
from app.services.images import WIDTHS, Picture, master_of, rendition
from app.settings import Settings

logger = get_logger(__name__)

_UPLOADS_AT_ONCE = 8  # of one process, one of them being decoded: each is kept in memory
_PURGED_AT_ONCE = 10
_PURGE_TIMEOUT = 5  # seconds for one batch, well before PostgreSQL ends a transaction that waits


class MediaService:
    """Every edit counts up the product's version too: its page, and so its ETag, shows the pictures."""

    def __init__(self, database: Database, store: MediaStore, settings: Settings) -> None:
        self._database = database
        self._store = store
        self._media_url = settings.media_url
        self._threads = BoundedThreads(1, places=_UPLOADS_AT_ONCE, name="images")

    def close(self) -> None:
        self._threads.close()

    async def get(self, product_id: UUID, media_id: UUID) -> MediaRead:
        async with self._database.snapshot() as tx:
            _find(await tx.media.of_product(product_id), media_id)
            return await tx.media.read(media_id, self._media_url)

    async def open(self, key: str) -> StoredObject:
        """The object under this key."""
        found = await self._store.get(key)
        if found is None:
            raise NotFound
        return found

    async def add(self, product_id: UUID, file: bytes, alt: str) -> MediaRead:
        """Put a picture behind those that the product has. Nothing is stored of what is refused."""
        async with self._database.snapshot() as tx:
            if await tx.products.by_id(product_id) is None:
                raise NotFound
            _must_have_room(await tx.media.of_product(product_id))
        picture = await self._threads.run(master_of, file)
        key = key_of(picture)
        async with self._database.transaction() as tx:
            await tx.media.note_upload(key)
        await self._store.put(key, picture.data)
        return await self._attach(product_id, key, picture, alt)

    @retried_on_conflict
    async def _attach(self, product_id: UUID, key: str, picture: Picture, alt: str) -> MediaRead:
        async with self._database.transaction() as tx:
            product = await tx.products.claim(product_id)
            others = await tx.media.of_product(product_id)
            _must_have_room(others)
            row = ProductMedia(
                product_id=product_id,
                key=key,
                width=picture.width,
                height=picture.height,
                alt=alt,
                position=len(others),
            )
            await tx.media.add(row)
            await _announce_update(tx, product)
            await tx.outbox.announce("media.uploaded", row.id, product_id=str(product_id))
            return await tx.media.read(row.id, self._media_url)

    @retried_on_conflict
    async def update(self, product_id: UUID, media_id: UUID, seen: Versions, changes: MediaUpdate) -> MediaRead:
        async with self._database.transaction() as tx:
            product = await tx.products.claim(product_id, seen)
            pictures = await tx.media.of_product(product_id)
            row = _find(pictures, media_id)
            row.alt = changes.get("alt", row.alt)
            await tx.media.flush()
            if "position" in changes:
                order = [each.id for each in pictures if each is not row]
                order.insert(changes["position"], media_id)
                await tx.media.arrange(product_id, order)
            await _announce_update(tx, product)
            return await tx.media.read(media_id, self._media_url)

    @retried_on_conflict
    async def remove(self, product_id: UUID, media_id: UUID, seen: Versions) -> None:
        """Take the picture off the product; the objects behind it go when no other picture needs them."""
        async with self._database.transaction() as tx:
            product = await tx.products.claim(product_id, seen)
            pictures = await tx.media.of_product(product_id)
            _find(pictures, media_id)
            await tx.media.remove(media_id)
            await tx.media.arrange(product_id, [each.id for each in pictures if each.id != media_id])
            await _announce_update(tx, product)

    # What the worker does

    @retried_on_conflict
    async def make_renditions(self, media_id: UUID) -> None:
        """Store the picture in its smaller sizes; the same picture gives the same objects, however often."""
        async with self._database.snapshot() as tx:
            row = await tx.media.by_id(media_id)
        if row is None:
            return  # deleted in the meantime
        master = await self._store.get(row.key)
        if master is None:
            logger.error("a picture has no object", media_id=str(media_id), key=row.key)
            return
        data, renditions = await master.read(), []
        for width in WIDTHS:
            if width < row.width:
                picture = await self._threads.run(rendition, data, width)
                key = rendition_key(row.key, width)
                await self._store.put(key, picture.data)
                renditions.append({"key": key, "width": picture.width, "height": picture.height})
        async with self._database.transaction() as tx:
            await tx.media.record_renditions(row.key, renditions)

    async def purge_unused(self) -> int:
        """Delete a batch of objects that belong to no picture; returns how many keys were looked at.

        The one place besides the relay where a transaction waits for something outside: that nobody else may store
        the object meanwhile is what its locks are for.
        """
        async with self._database.transaction() as tx, asyncio.timeout(_PURGE_TIMEOUT):
            keys = await tx.media.lock_unused(_PURGED_AT_ONCE)
            in_use = await tx.media.in_use(keys)
            for key in keys:
                if key not in in_use:
                    await self._store.delete(_folder(key))
            await tx.media.forget_unused(keys)
        return len(keys)


def key_of(picture: Picture) -> str:
    """`ab/cdef…/1600.webp`: 160 bits of the content's hash are a folder, shared with the picture's other sizes."""
    digest = hashlib.sha256(picture.data).hexdigest()[:40]
    return f"{digest[:2]}/{digest[2:]}/{picture.width}.webp"


def rendition_key(master_key: str, width: int) -> str:
    return f"{_folder(master_key)}/{width}.webp"


def _folder(key: str) -> str:
    return key.rpartition("/")[0]


def _find(pictures: Sequence[ProductMedia], media_id: UUID) -> ProductMedia:
    for picture in pictures:
        if picture.id == media_id:
            return picture
    raise NotFound


def _must_have_room(pictures: Sequence[ProductMedia]) -> None:
    if len(pictures) >= MOST_PICTURES:
        raise TooManyPictures(maximum=MOST_PICTURES)


async def _announce_update(tx: UnitOfWork, product: Product) -> None:
    await tx.outbox.announce("product.updated", product.id, version=product.version)
