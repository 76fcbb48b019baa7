"""What goes with a product."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.dependencies import IdOrSlug, Relations
from app.errors import NotFound
from app.openapi import problems
from app.routers.etags import CATALOGUE, NOT_MODIFIED, published
from app.schemas.related import RelatedProducts, RelatedQuery

router = APIRouter(prefix="/products", tags=["Catalogue"])


@router.get(
    "/{id_or_slug}/related",
    operation_id="products_related",
    response_model=RelatedProducts,
    responses={**NOT_MODIFIED, **problems(NotFound)},
)
async def list_related_products(
    request: Request, id_or_slug: IdOrSlug, query: Annotated[RelatedQuery, Query()], relations: Relations
) -> Response:
    """List what goes with a product.

    First what several orders have bought together with it, then what shares its categories, its attributes, and the
    categories above; of those the best-selling and best rated first, and what is sold out last.
    """
    return published(request, await relations.of_product(id_or_slug, query.limit), CATALOGUE)
