"""Finding products: lists with facets, suggestions while somebody types, and what goes with a product."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.dependencies import Listings
from app.errors import InvalidCursor
from app.openapi import problems
from app.routers.etags import CATALOGUE, NOT_MODIFIED, published
from app.schemas.listings import ProductPage, ProductQuery

router = APIRouter(prefix="/products", tags=["Catalogue"])


@router.get(
    "",
    operation_id="products_list",
    response_model=ProductPage,
    responses={**NOT_MODIFIED, **problems(InvalidCursor)},
)
async def list_products(request: Request, query: Annotated[ProductQuery, Query()], listings: Listings) -> Response:
    """Browse and search what is for sale.

    All filters must hold. Prices are compared with the cheapest variant's, in minor units. Cursors go in both
    directions and belong to the sort and the filters that they were given for.
    """
    return published(request, await listings.page(query), CATALOGUE)
