"""Products: browsed by everyone, edited by the catalogue's staff."""

from fastapi import APIRouter, Request, Response, status

from app.dependencies import CatalogWriter, IdOrSlug, IfMatch, OptionalCaller, OptionalIfMatch, ProductId, Products
from app.errors import NotFound, PreconditionFailed, PreconditionRequired, SlugTaken
from app.openapi import ANYBODY, problems
from app.routers.etags import NOT_MODIFIED, PRIVATE, tagged
from app.routers.express import product_page
from app.schemas.products import ProductCreate, ProductRead, ProductUpdate

router = APIRouter(prefix="/products", tags=["Catalogue"])
staff_router = APIRouter(prefix="/products", tags=["Catalogue for staff"])


@router.get(
    "/{id_or_slug}",
    operation_id="products_get",
    openapi_extra=ANYBODY,
    response_model=ProductRead,
    responses={**NOT_MODIFIED, **problems(NotFound)},
)
async def get_product(
    request: Request, id_or_slug: IdOrSlug, viewer: OptionalCaller, products: Products, response: Response
) -> ProductRead | Response:
    """Show a product with its variants, pictures and categories.

    What is not for sale is there for the catalogue's staff only, and so are archived variants.
    """
    if viewer is not None and viewer.sees_drafts:
        response.headers["Cache-Control"] = PRIVATE
        return tagged(response, await products.detail(id_or_slug))
    return product_page(request, await products.published(id_or_slug))


@staff_router.post(
    "",
    operation_id="products_create",
    status_code=status.HTTP_201_CREATED,
    response_model=ProductRead,
    responses=problems(SlugTaken),
)
async def create_product(data: ProductCreate, _: CatalogWriter, products: Products, response: Response) -> ProductRead:
    """Create a product, as a draft unless its status says otherwise. Its variants come next."""
    product = await products.create(data)
    return tagged(response, product, location=f"/api/v1/products/{product.id}")


@staff_router.patch(
    "/{id_or_slug}",
    operation_id="products_update",
    response_model=ProductRead,
    responses=problems(NotFound, SlugTaken, PreconditionFailed, PreconditionRequired),
)
async def update_product(
    id_or_slug: IdOrSlug,
    data: ProductUpdate,
    _: CatalogWriter,
    seen: IfMatch,
    products: Products,
    response: Response,
) -> ProductRead:
    """Change a product, if it is still as you read it."""
    return tagged(response, await products.update(id_or_slug, seen, data))


@staff_router.delete(
    "/{id_or_slug}",
    operation_id="products_delete",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, PreconditionFailed, PreconditionRequired),
)
async def delete_product(id_or_slug: IdOrSlug, _: CatalogWriter, seen: IfMatch, products: Products) -> None:
    """Delete a product, or archive it when it has variants, because orders and stock may refer to them."""
    await products.delete(id_or_slug, seen)


@staff_router.post(
    "/{product_id}/publish",
    operation_id="products_publish",
    response_model=ProductRead,
    responses=problems(NotFound, PreconditionFailed),
)
async def publish_product(
    product_id: ProductId, _: CatalogWriter, seen: OptionalIfMatch, products: Products, response: Response
) -> ProductRead:
    """Put a product on sale; nothing happens when it is."""
    return tagged(response, await products.publish(product_id, seen))


@staff_router.post(
    "/{product_id}/archive",
    operation_id="products_archive",
    response_model=ProductRead,
    responses=problems(NotFound, PreconditionFailed),
)
async def archive_product(
    product_id: ProductId, _: CatalogWriter, seen: OptionalIfMatch, products: Products, response: Response
) -> ProductRead:
    """Take a product off sale; nothing happens when it is off."""
    return tagged(response, await products.archive(product_id, seen))
