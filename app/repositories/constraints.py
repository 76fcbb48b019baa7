"""What a broken constraint means to whoever broke it."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database_errors import constraint
from app.errors import CategoryNotEmpty, Conflict, EmailTaken, SkuTaken, SlugTaken, VariantExists

REFUSALS: dict[str, type[Conflict]] = {
    "uq_products_slug": SlugTaken,
    "uq_categories_slug": SlugTaken,
    "uq_categories_path": SlugTaken,
    "uq_users_email": EmailTaken,
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
        refusal = REFUSALS.get(constraint(error) or "")
        if refusal is None:
            raise
        raise refusal from error
