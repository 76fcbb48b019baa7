"""Variants of products, for the catalogue's staff; everyone else sees them on the product's page."""

from fastapi import APIRouter, Response, status

from app.dependencies import CatalogWriter, IfMatch, ProductId, VariantId, Variants
from app.errors import NotFound, PreconditionFailed, PreconditionRequired, SkuTaken, VariantExists
from app.openapi import problems
from app.routers.etags import tagged
from app.schemas.variants import VariantCreate, VariantRead, VariantUpdate

router = APIRouter(tags=["Catalogue for staff"])


@router.post(
    "/products/{product_id}/variants",
    operation_id="variants_create",
    status_code=status.HTTP_201_CREATED,
    response_model=VariantRead,
    responses=problems(NotFound, SkuTaken, VariantExists),
)
async def create_variant(
    product_id: ProductId, data: VariantCreate, _: CatalogWriter, variants: Variants, response: Response
) -> VariantRead:
    """Add a variant to a product, with what there is of it in stock."""
    variant = await variants.create(product_id, data)
    return tagged(response, variant, location=f"/api/v1/variants/{variant.id}")


@router.patch(
    "/variants/{variant_id}",
    operation_id="variants_update",
    response_model=VariantRead,
    responses=problems(NotFound, SkuTaken, VariantExists, PreconditionFailed, PreconditionRequired),
)
async def update_variant(
    variant_id: VariantId,
    data: VariantUpdate,
    _: CatalogWriter,
    seen: IfMatch,
    variants: Variants,
    response: Response,
) -> VariantRead:
    """Change a variant, if it is still at the version you read. Stock changes by movements, not here."""
    return tagged(response, await variants.update(variant_id, seen, data))


@router.delete(
    "/variants/{variant_id}",
    operation_id="variants_archive",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, PreconditionFailed, PreconditionRequired),
)
async def archive_variant(variant_id: VariantId, _: CatalogWriter, seen: IfMatch, variants: Variants) -> None:
    """Take a variant off sale. It stays for the orders that refer to it; a change of its `status` brings it back."""
    await variants.archive(variant_id, seen)
