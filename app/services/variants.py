"""Variants: what carries a price, a SKU and stock."""

from uuid import UUID

from app.core.conditional import Versions
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import ValidationFailed
from app.models.inventory import StockLevel
from app.models.products import Product, Variant, VariantStatus, option_key
from app.schemas.variants import VariantCreate, VariantRead, VariantUpdate
from app.services.options import must_fit

FIRST_STOCK = "initial_stock"  # the reason of a variant's first movement


class VariantService:
    """Every edit counts up the product's version too: its page, and so its ETag, shows the variants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retried_on_conflict
    async def create(self, product_id: UUID, data: VariantCreate) -> VariantRead:
        async with self._database.transaction() as tx:
            product = await tx.products.claim(product_id)
            must_fit(data.option_values, product.options)
            variant = Variant(
                product_id=product_id,
                sku=data.sku,
                option_values=data.option_values,
                option_key=option_key(data.option_values),
                price_amount=data.price.amount,
                compare_at_amount=data.compare_at.amount if data.compare_at else None,
                currency=data.price.currency,
                weight_g=data.weight_g,
                stock=StockLevel(on_hand=data.stock),
            )
            await tx.products.add_variant(variant, FIRST_STOCK)
            await _announce_update(tx, product)
            return await tx.products.variant(variant.id)

    @retried_on_conflict
    async def update(self, variant_id: UUID, seen: Versions, changes: VariantUpdate) -> VariantRead:
        async with self._database.transaction() as tx:
            variant = await tx.products.claim_variant(variant_id, seen)
            product = await tx.products.claim(variant.product_id)
            old_price = variant.price_amount
            _apply(changes, variant)
            must_fit(variant.option_values, product.options)
            await tx.products.flush()
            await _announce_update(tx, product)
            if variant.price_amount != old_price:
                await tx.outbox.announce(
                    "price.changed",
                    product.id,
                    variant_id=str(variant.id),
                    currency=variant.currency,
                    old_amount=old_price,
                    new_amount=variant.price_amount,
                )
            return await tx.products.variant(variant.id)

    @retried_on_conflict
    async def archive(self, variant_id: UUID, seen: Versions) -> None:
        """Take the variant off the shop. It stays for the orders that refer to it."""
        async with self._database.transaction() as tx:
            variant = await tx.products.claim_variant(variant_id, seen)
            product = await tx.products.claim(variant.product_id)
            variant.status = VariantStatus.ARCHIVED
            await tx.products.flush()
            await _announce_update(tx, product)


def _apply(changes: VariantUpdate, variant: Variant) -> None:
    if "option_values" in changes:
        variant.option_values = changes["option_values"]
        variant.option_key = option_key(variant.option_values)
    if "price" in changes:
        variant.price_amount = changes["price"].amount
    if "compare_at" in changes:
        variant.compare_at_amount = changes["compare_at"].amount if changes["compare_at"] else None
    variant.sku = changes.get("sku", variant.sku)
    variant.weight_g = changes.get("weight_g", variant.weight_g)
    variant.status = changes.get("status", variant.status)
    if variant.compare_at_amount is not None and variant.compare_at_amount <= variant.price_amount:
        raise ValidationFailed(
            errors=[{"pointer": "/compare_at", "code": "not_above_price", "message": "must be more than the price"}]
        )


async def _announce_update(tx: UnitOfWork, product: Product) -> None:
    await tx.outbox.announce("product.updated", product.id, version=product.version)
