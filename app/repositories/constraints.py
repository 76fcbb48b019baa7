"""What a broken constraint of the catalogue means to whoever broke it."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CategoryNotEmpty, Conflict, SkuTaken, SlugTaken, VariantExists

REFUSALS: dict[str, type[Conflict]] = {
    "uq_products_slug": SlugTaken,
    "uq_categories_slug": SlugTaken,
    "uq_categories_path": SlugTaken,
    "uq_variants_sku": SkuTaken,
    "uq_variants_product_id_option_key": VariantExists,
    "fk_product_categories_category_id": CategoryNotEmpty,
    "fk_categories_parent_id": CategoryNotEmpty,
}


async def flush(session: AsyncSession) -> None:
    """Write what was changed; a broken constraint that has a meaning is raised as that refusal."""
    try:
        await session.flush()
    except IntegrityError as error:
        refusal = REFUSALS.get(_violated(error))
        if refusal is None:
            raise
        raise refusal from error


def _violated(error: IntegrityError) -> str:
    """The constraint's name, which only asyncpg's own exception carries."""
    return getattr(getattr(error.orig, "__cause__", None), "constraint_name", None) or ""
