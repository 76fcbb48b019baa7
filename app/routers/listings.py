"""Lists of what is for sale, with facets."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.dependencies import Listings
from app.errors import InvalidCursor
from app.openapi import problems
from app.routers.etags import CATALOGUE, NOT_MODIFIED, published
from app.schemas.listings import ProductPage, ProductQuery

router = APIRouter(prefix="/products", tags=["Catalogue"])


# Any attribute may be a filter, which the schema of the parameters cannot say.
_ATTRIBUTES = {
    "name": "attr.NAME",
    "in": "query",
    "required": False,
    "description": "Values of the attribute NAME, such as `attr.color=red,blue`: one of them is enough, and several "
    "attributes must all fit. A comma within a value is written `\\,` and a backslash `\\\\`: "
    "`attr.material=aluminium\\, steel` is one value",
    "schema": {
        "type": "string",
        "maxLength": 500,
        "pattern": r"^[^\u0000]*[^\s,\u0000][^\u0000]*$",
    },  # no example: Swagger UI would send it
}


@router.get(
    "",
    operation_id="products_list",
    response_model=ProductPage,
    responses={**NOT_MODIFIED, **problems(InvalidCursor)},
    openapi_extra={"parameters": [_ATTRIBUTES]},
)
async def list_products(request: Request, query: Annotated[ProductQuery, Query()], listings: Listings) -> Response:
    """Browse and search what is for sale.

    All filters must hold. Prices are compared with the cheapest variant's, in minor units. Words are found in names,
    summaries, descriptions and attributes, whatever their accents and endings; when there are none like that, names
    that look like them are. A search that finds more than 5 000 products ranks those that sell best and as many
    others, and ends there. Cursors go in both directions and belong to the sort and the filters that they were given
    for.
    """
    return published(request, await listings.page(query), CATALOGUE)
