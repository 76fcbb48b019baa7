"""All products there are, for the catalogue's staff; `GET /products` is what everybody sees, and caches keep."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.dependencies import Assortment, CatalogReader
from app.errors import InvalidCursor
from app.openapi import problems
from app.schemas.assortment import AssortmentProduct, AssortmentQuery
from app.schemas.base import PageInfo, PageRead

router = APIRouter(prefix="/products/manage", tags=["Catalogue for staff"])


@router.get(
    "",
    operation_id="products_manage",
    response_model=PageRead[AssortmentProduct],
    responses=problems(InvalidCursor),
)
async def list_assortment(
    query: Annotated[AssortmentQuery, Query()], _: CatalogReader, assortment: Assortment
) -> PageRead[AssortmentProduct]:
    """List all products: drafts, what is for sale, and what is archived."""
    page = await assortment.page(query)
    return PageRead(data=[listed.product for listed in page.rows], page=PageInfo.model_validate(page))
