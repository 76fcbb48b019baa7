"""What goes with a product."""

from pydantic import ConfigDict, Field

from app.schemas import examples
from app.schemas.base import Output, Parameters
from app.schemas.products import ProductCard

MOST_RELATED = 20


class RelatedQuery(Parameters):
    limit: int = Field(default=8, ge=1, le=MOST_RELATED, description="How many products")


class RelatedProducts(Output):
    """The most related first."""

    model_config = ConfigDict(json_schema_extra={"example": {"data": [examples.PRODUCT_CARD]}})

    data: list[ProductCard]
