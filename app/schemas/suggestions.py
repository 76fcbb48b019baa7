"""What completes a search box."""

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.schemas import examples
from app.schemas.base import Output, Parameters
from app.schemas.listings import SearchWords
from app.schemas.products import Thumbnail


class SuggestionQuery(Parameters):
    q: SearchWords = Field(default="", description="What has been typed so far; nothing is suggested to nothing")
    limit: int = Field(default=10, ge=1, le=20, description="How many suggestions")


_EXAMPLE: JsonDict = {
    "type": "product",
    "id": examples.PRODUCT_CARD["id"],
    "text": examples.PRODUCT_CARD["name"],
    "slug": examples.PRODUCT_CARD["slug"],
    "thumbnail": examples.PRODUCT_CARD["thumbnail"],
}


class Suggestion(Output):
    """Where a search may lead: to a product, or into a category. `text` is its name."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    type: Literal["category", "product"]
    id: UUID
    text: str
    slug: str
    thumbnail: Thumbnail | None = Field(description="A product's smallest picture, if it has any")


class Suggestions(Output):
    """Categories first, then products; what only resembles the words comes after all that begins like them."""

    model_config = ConfigDict(json_schema_extra={"example": {"data": [_EXAMPLE]}})

    data: list[Suggestion]
