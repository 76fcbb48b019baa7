"""Products and variants, as rows to change."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload, load_only

from app.models.products import Product, ProductStatus, Variant, VariantStatus
from app.repositories.base import ModelRepository


class ProductRepository(ModelRepository[Product]):
    model = Product

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
