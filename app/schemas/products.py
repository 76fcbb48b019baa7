"""What is sold, as the shop shows it and as staff write it."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from app.models.products import RESERVED_SLUGS
from app.schemas import examples
from app.schemas.base import (
    Input,
    Money,
    Output,
    Slug,
)
from app.schemas.categories import CategoryLink
from app.schemas.media import MediaRead
from app.schemas.text import FilledLine, LongText, Name, ShortText, Storable, by_name
from app.schemas.variants import OptionText, VariantRead

Element = TypeVar("Element")

LARGEST_SAFE_INTEGER = 2**53 - 1  # beyond it a JSON number is not exact: RFC 8259 §6


def _distinct(values: list[Element]) -> list[Element]:
    if any(value in values[:index] for index, value in enumerate(values)):
        raise PydanticCustomError("not_distinct", "must not say the same twice")
    return values


def _not_reserved(slug: str) -> str:
    if slug in RESERVED_SLUGS:
        raise PydanticCustomError("reserved_slug", "is an address of the shop's own")
    return slug


def _distinct_names(options: list["ProductOption"]) -> list["ProductOption"]:
    _distinct([option.name for option in options])
    return options


AttributeText = Annotated[str, Field(max_length=500), Storable]
AttributeNumber = Annotated[int, Field(strict=True, ge=-LARGEST_SAFE_INTEGER, le=LARGEST_SAFE_INTEGER)]
AttributeDecimal = Annotated[
    float, Field(strict=True, ge=-LARGEST_SAFE_INTEGER, le=LARGEST_SAFE_INTEGER, allow_inf_nan=False)
]
AttributeValue = (
    AttributeText
    | StrictBool
    | AttributeNumber
    | AttributeDecimal
    | Annotated[list[AttributeText], Field(max_length=50)]
)
Attributes = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=50), FilledLine], AttributeValue],
    Field(max_length=50, json_schema_extra=by_name),
]
CategoryIds = Annotated[
    list[UUID], Field(max_length=20, json_schema_extra={"uniqueItems": True}), AfterValidator(_distinct)
]
ProductSlug = Annotated[
    Slug, AfterValidator(_not_reserved), Field(json_schema_extra={"not": {"enum": sorted(RESERVED_SLUGS)}})
]
Editable = Literal["draft", "active"]


class ProductOption(Input):
    """A choice that the variants differ in."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Size", "values": ["S", "M", "L"]}})

    name: OptionText
    values: Annotated[
        list[OptionText],
        Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_distinct),
    ]


Options = Annotated[list[ProductOption], Field(max_length=5), AfterValidator(_distinct_names)]


class ProductCreate(Input):
    """Without a slug, one is made from the name."""

    model_config = ConfigDict(json_schema_extra={"example": examples.TEE})

    name: Name
    slug: ProductSlug | None = None
    summary: ShortText = ""
    description: LongText = ""
    category_ids: CategoryIds = Field(default_factory=list)
    attributes: Attributes = Field(default_factory=dict)
    options: Options = Field(default_factory=list)
    status: Editable = "draft"


@with_config(ConfigDict(extra="forbid", json_schema_extra={"example": {"summary": "Softer than it was."}}))
class ProductUpdate(TypedDict, total=False):
    """Only what is sent changes."""

    name: Name
    slug: ProductSlug
    summary: ShortText
    description: LongText
    category_ids: CategoryIds
    attributes: Attributes
    options: Options
    status: Editable


class OptionRead(Output):
    name: str
    values: list[str]


class Rating(Output):
    average: float
    count: int


class Thumbnail(Output):
    url: str
    alt: str


class ProductCard(Output):
    """What a list shows. `price_from` is the cheapest active variant's, `compare_at` belongs to it."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PRODUCT_CARD})

    id: UUID
    slug: str
    name: str
    summary: str
    thumbnail: Thumbnail | None
    price_from: Money | None
    compare_at: Money | None
    in_stock: bool
    rating: Rating


class ProductRead(Output):
    """Everything that a product's page shows. `version` is the ETag, and goes into If-Match."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PRODUCT})

    id: UUID
    slug: str
    name: str
    summary: str
    description: str
    status: Literal["draft", "active", "archived"]
    options: list[OptionRead]
    variants: list[VariantRead]
    media: list[MediaRead]
    categories: list[CategoryLink]
    attributes: dict[str, Any]
    rating: Rating
    version: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
