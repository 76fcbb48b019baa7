"""The catalogue: what customers browse, and how staff change it."""

from collections.abc import Sequence
from uuid import UUID

from app.core.clock import now
from app.core.conditional import Versions
from app.core.slugs import id_or_slug, slugify, with_suffix
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import NotFound, PreconditionFailed, ValidationFailed
from app.models.products import RESERVED_SLUGS, Product, ProductStatus
from app.repositories.catalogue import PublishedProduct
from app.schemas.products import ProductCreate, ProductRead, ProductUpdate
from app.services.options import fits
from app.settings import Settings


class ProductService:
    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._media_url = settings.media_url

    async def published(self, address: str) -> PublishedProduct:
        """The page of a product that is for sale."""
        name = id_or_slug(address)
        product = await self._database.catalogue.product(name) if name else None
        if product is None:
            raise NotFound
        return product

    async def detail(self, address: str) -> ProductRead:
        """The page of any product, drafts and archived variants included: for the catalogue's staff."""
        async with self._database.snapshot() as tx:
            return await self._read(tx, id_or_slug(address))

    @retried_on_conflict
    async def create(self, data: ProductCreate) -> ProductRead:
        """A new product, without variants yet. A slug made from its name gives way to one that is taken."""
        async with self._database.transaction() as tx:
            if data.category_ids:
                await tx.categories.hold_tree()
                await _must_exist(tx, data.category_ids)
            product = Product(
                **data.model_dump(exclude={"slug", "category_ids"}),
                slug=data.slug or _slug_from(data.name),
                published_at=now() if data.status == "active" else None,
            )
            await (tx.products.add(product) if data.slug else tx.products.add_under_free_slug(product))
            await tx.products.put_into(product.id, data.category_ids)
            await tx.outbox.announce("product.created", product.id, version=product.version)
            if product.status == ProductStatus.ACTIVE:
                await tx.outbox.announce("product.published", product.id, version=product.version)
            return await self._read(tx, product.id)

    @retried_on_conflict
    async def update(self, address: str, seen: Versions, changes: ProductUpdate) -> ProductRead:
        async with self._database.transaction() as tx:
            if changes.get("category_ids"):
                await tx.categories.hold_tree()
            product = await tx.products.claim(await _identified(tx, address), seen)
            was_active = product.status == ProductStatus.ACTIVE
            _apply(changes, product)
            if "options" in changes:
                await _variants_must_fit(tx, product)
            if "category_ids" in changes:
                await _must_exist(tx, changes["category_ids"])
                await tx.products.put_into(product.id, changes["category_ids"])
            await tx.products.flush()
            await tx.outbox.announce("product.updated", product.id, version=product.version)
            if product.status == ProductStatus.ACTIVE and not was_active:
                await tx.outbox.announce("product.published", product.id, version=product.version)
            return await self._read(tx, product.id)

    async def publish(self, product_id: UUID, seen: Versions) -> ProductRead:
        """Put the product on sale; nothing happens when it is."""
        return await self._move(product_id, seen, ProductStatus.ACTIVE, "product.published")

    async def archive(self, product_id: UUID, seen: Versions) -> ProductRead:
        """Take the product off sale, to be published again some day; nothing happens when it is off."""
        return await self._move(product_id, seen, ProductStatus.ARCHIVED, "product.archived")

    @retried_on_conflict
    async def delete(self, address: str, seen: Versions) -> None:
        """Delete a product that never had a variant; archive any other, because orders and stock refer to it."""
        async with self._database.transaction() as tx:
            product = await tx.products.claim(await _identified(tx, address), seen)
            if await tx.products.has_variants(product.id):
                product.status = ProductStatus.ARCHIVED
                await tx.products.flush()
            else:
                await tx.products.remove(product.id)
            await tx.outbox.announce("product.archived", product.id, version=product.version)

    @retried_on_conflict
    async def _move(self, product_id: UUID, seen: Versions, status: ProductStatus, event: str) -> ProductRead:
        async with self._database.transaction() as tx:
            moved_to = await tx.products.move(product_id, status, seen)
            if moved_to is not None:
                await tx.outbox.announce(event, product_id, version=moved_to)
            product = await self._read(tx, product_id)
            if moved_to is None and seen is not None and product.version not in seen:
                raise PreconditionFailed
            return product

    async def _read(self, tx: UnitOfWork, address: UUID | str | None) -> ProductRead:
        product = await tx.products.detail(address, self._media_url) if address else None
        if product is None:
            raise NotFound
        return product


def _slug_from(name: str) -> str:
    slug = slugify(name, fallback="product")
    return with_suffix(slug) if slug in RESERVED_SLUGS else slug


async def _identified(tx: UnitOfWork, address: str) -> UUID:
    found = id_or_slug(address)
    identity = await tx.products.id_of(found) if isinstance(found, str) else found
    if identity is None:
        raise NotFound
    return identity


def _apply(changes: ProductUpdate, product: Product) -> None:
    for field in ("name", "slug", "summary", "description", "attributes", "status"):
        if field in changes:
            setattr(product, field, changes[field])
    if "options" in changes:
        product.options = [option.model_dump() for option in changes["options"]]
    if product.status == ProductStatus.ACTIVE and product.published_at is None:
        product.published_at = now()


async def _must_exist(tx: UnitOfWork, category_ids: Sequence[UUID]) -> None:
    missing = await tx.categories.missing(category_ids) if category_ids else set()
    if missing:
        raise ValidationFailed(
            errors=[
                {
                    "pointer": f"/category_ids/{place}",
                    "code": "unknown_category",
                    "message": "there is no such category",
                }
                for place, category_id in enumerate(category_ids)
                if category_id in missing
            ]
        )


async def _variants_must_fit(tx: UnitOfWork, product: Product) -> None:
    """Options cannot be taken away from under the variants that are for sale."""
    variants = await tx.products.active_variants_of(product.id)
    misfits = [variant.sku for variant in variants if not fits(variant.option_values, product.options)]
    if misfits:
        message = f"do not fit the variants {', '.join(misfits)}; change or archive those first"
        raise ValidationFailed(errors=[{"pointer": "/options", "code": "variants_do_not_fit", "message": message}])
