"""All products there are, for sale or not, as the catalogue's staff list them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.models.products import ProductStatus
from app.schemas import examples
from app.schemas.base import Money, Output, PageQuery
from app.schemas.text import OneLine


class AssortmentSort(StrEnum):
    LATEST = "-updated_at"
    EARLIEST = "updated_at"
    NAME = "name"
    NAME_FALLING = "-name"

    @property
    def by_name(self) -> bool:
        return self in (AssortmentSort.NAME, AssortmentSort.NAME_FALLING)


class AssortmentQuery(PageQuery):
    """Filters of the list; all of them must hold."""

    status: ProductStatus | None = Field(default=None, description="Only what is in this state")
    q: Annotated[str, Field(max_length=200), OneLine] = Field(
        default="", description="A part of the name, whatever its case and accents"
    )
    sort: AssortmentSort = Field(
        default=AssortmentSort.LATEST, description="By the last change, or by name whatever its case and accents"
    )


class AssortmentProduct(Output):
    """Enough to find a product and to go on with it. `price_from` is the cheapest active variant's."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: examples.PRODUCT[name] for name in ("id", "slug", "name", "version", "updated_at")},
                "status": "draft",
                "price_from": examples.PRODUCT_CARD["price_from"],
                "variants": 1,
            }
        }
    )

    id: UUID
    slug: str
    name: str
    status: Literal["draft", "active", "archived"]
    version: int
    price_from: Money | None
    variants: int = Field(description="How many there are, without the archived ones")
    updated_at: datetime
