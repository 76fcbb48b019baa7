"""Products and variants: the read models of the shop, and rows to change."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import contains_eager, joinedload, load_only

from app.core.conditional import Versions
from app.core.slugs import with_suffix
from app.errors import SlugTaken
from app.models.inventory import StockMovement
from app.models.products import Product, ProductStatus, Variant, VariantStatus, product_categories
from app.repositories.base import ModelRepository
from app.repositories.constraints import flush
from app.repositories.listings.sales import counting_of_sales
from app.repositories.products_read import DETAIL_BY_ID, DETAIL_BY_SLUG, VARIANT_BY_ID
from app.repositories.versions import claim
from app.schemas.products import ProductRead
from app.schemas.variants import VariantRead


class ProductRepository(ModelRepository[Product]):
    model = Product

    # What staff see

    async def detail(self, address: UUID | str, media_url: str) -> ProductRead | None:
        """The page of the product with this id or slug, whatever its status and with its archived variants."""
        statement = DETAIL_BY_SLUG if isinstance(address, str) else DETAIL_BY_ID
        parameters = {"address": address, "media_url": media_url}
        found = (await self._session.execute(statement, parameters)).scalar_one_or_none()
        return None if found is None else ProductRead.model_validate_json(found)

    async def variant(self, variant_id: UUID) -> VariantRead:
        found = await self._session.execute(VARIANT_BY_ID, {"id": variant_id})
        return VariantRead.model_validate_json(found.scalar_one())

    # What carts and checkout need

    async def sellable_variants(self, ids: Collection[UUID]) -> Sequence[Variant]:
        """Those of the variants that can be bought now, in the order of their ids.

        `variant.stock` is loaded, and of `variant.product` its slug, name, tax class and status.
        """
        return await self._all(
            select(Variant)
            .join(Variant.product)
            .where(
                Variant.id.in_(ids),
                Variant.status == VariantStatus.ACTIVE,
                Product.status == ProductStatus.ACTIVE,
            )
            .options(
                contains_eager(Variant.product).options(
                    load_only(Product.slug, Product.name, Product.tax_class, Product.status, raiseload=True)
                ),
                joinedload(Variant.stock, innerjoin=True),
            )
            .order_by(Variant.id)
        )

    # What staff change

    async def claim(self, product_id: UUID, seen: Versions = None) -> Product:
        return await claim(self._session, Product, product_id, seen)

    async def claim_variant(self, variant_id: UUID, seen: Versions) -> Variant:
        return await claim(self._session, Variant, variant_id, seen)

    async def add(self, row: Product) -> None:
        self._session.add(row)
        await flush(self._session)

    async def add_under_free_slug(self, product: Product) -> None:
        """Add the product; when its slug is taken, under another one."""
        try:
            async with self._session.begin_nested():
                await self.add(product)
        except SlugTaken:
            product.slug = with_suffix(product.slug)
            await self.add(product)

    async def add_variant(self, variant: Variant, reason: str) -> None:
        """Add the variant with its stock, and the movement that accounts for the stock."""
        self._session.add(variant)
        await flush(self._session)
        if variant.stock.on_hand:
            self._session.add(StockMovement(variant_id=variant.id, on_hand_delta=variant.stock.on_hand, reason=reason))
            await flush(self._session)

    async def flush(self) -> None:
        await flush(self._session)

    async def move(self, product_id: UUID, status: ProductStatus, seen: Versions) -> int | None:
        """The new version, or None when the product is at none of those versions or has that status already."""
        statement = (
            update(Product)
            .where(Product.id == product_id, Product.status != status)
            .values(status=status, version=Product.version + 1)
            .returning(Product.version)
            .execution_options(synchronize_session=False)
        )
        if status is ProductStatus.ACTIVE:
            statement = statement.values(published_at=func.coalesce(Product.published_at, func.now()))
        if seen is not None:
            statement = statement.where(Product.version.in_(seen))
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def id_of(self, slug: str) -> UUID | None:
        return await self._one_or_none(select(Product.id).where(Product.slug == slug))

    async def active_variants_of(self, product_id: UUID) -> Sequence[Variant]:
        return await self._all(
            select(Variant).where(Variant.product_id == product_id, Variant.status == VariantStatus.ACTIVE)
        )

    async def has_variants(self, product_id: UUID) -> bool:
        """Whether it ever had one: variants are archived, never deleted."""
        return await self._one_or_none(select(Variant.id).where(Variant.product_id == product_id).limit(1)) is not None

    async def put_into(self, product_id: UUID, category_ids: Collection[UUID]) -> None:
        """Make these the product's categories."""
        table = product_categories
        await self._session.execute(
            delete(table).where(table.c.product_id == product_id, table.c.category_id.not_in(category_ids))
        )
        if category_ids:
            rows = [{"product_id": product_id, "category_id": category_id} for category_id in category_ids]
            await self._session.execute(insert(table).values(rows).on_conflict_do_nothing())

    async def count_sales(self) -> None:
        """Count anew what was sold lately, for the lists that begin with the best-selling."""
        await self._session.execute(counting_of_sales())

    async def remove(self, product_id: UUID) -> None:
        await self._session.execute(delete(Product).where(Product.id == product_id))
