"""Pictures of products, and what the media store holds without one."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.models.media import UnusedMedia
from app.models.products import ProductMedia
from app.repositories.base import ModelRepository
from app.repositories.products_read import PICTURE_BY_ID
from app.schemas.media import MediaRead

UNUSED_FOR = timedelta(hours=24)


class MediaRepository(ModelRepository[ProductMedia]):
    model = ProductMedia

    async def read(self, media_id: UUID, media_url: str) -> MediaRead:
        found = await self._session.execute(PICTURE_BY_ID, {"id": media_id, "media_url": media_url})
        return MediaRead.model_validate_json(found.scalar_one())

    async def of_product(self, product_id: UUID) -> Sequence[ProductMedia]:
        """All of its pictures, in their order."""
        return await self._all(
            select(ProductMedia).where(ProductMedia.product_id == product_id).order_by(ProductMedia.position)
        )

    async def arrange(self, product_id: UUID, ids: Sequence[UUID]) -> None:
        """Put the product's pictures, all of which are named, in this order."""
        place = func.array_position(cast(bindparam("ids", ids, type_=ARRAY(Uuid)), ARRAY(Uuid)), ProductMedia.id) - 1
        await self._session.execute(
            update(ProductMedia)
            .where(ProductMedia.product_id == product_id, ProductMedia.position != place)
            .values(position=cast(place, BigInteger))
            .execution_options(synchronize_session=False)
        )

    async def remove(self, media_id: UUID) -> None:
        await self._session.execute(delete(ProductMedia).where(ProductMedia.id == media_id))

    async def record_renditions(self, key: str, renditions: list[dict[str, Any]]) -> None:
        """For every product that shows this picture."""
        await self._session.execute(
            update(ProductMedia)
            .where(ProductMedia.key == key, ProductMedia.renditions != renditions)
            .values(renditions=renditions)
            .execution_options(synchronize_session=False)
        )

    # What may be unused

    async def note_upload(self, key: str) -> None:
        """Note, before there is an object under this key, that it may end up without a picture.

        Waits while the object is being deleted, so that what is uploaded afterwards stays.
        """
        await self._session.execute(
            insert(UnusedMedia)
            .values(key=key)
            .on_conflict_do_update(index_elements=[UnusedMedia.key], set_={"since": func.now()})
        )

    async def lock_unused(self, limit: int) -> Sequence[str]:
        """Keys noted long ago, locked; those that another worker has in hand are passed over."""
        return await self._all(
            select(UnusedMedia.key)
            .where(UnusedMedia.since < func.now() - UNUSED_FOR)
            .order_by(UnusedMedia.since)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    async def in_use(self, keys: Collection[str]) -> set[str]:
        return set(await self._all(select(ProductMedia.key).where(ProductMedia.key.in_(keys))))

    async def forget_unused(self, keys: Collection[str]) -> None:
        await self._session.execute(delete(UnusedMedia).where(UnusedMedia.key.in_(keys)))
