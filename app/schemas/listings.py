"""Lists of what is for sale: what may be asked of them, and what stands beside the products."""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.schemas import examples
from app.schemas.base import (
    LARGEST_AMOUNT,
    Money,
    Output,
    PageQuery,
    PageRead,
    Slug,
    page_example,
)
from app.schemas.products import ProductCard
from app.schemas.text import Storable

MOST_ATTRIBUTES = 10
_PART = re.compile(r"(?:^|,)((?:\\.|[^,])*)", re.DOTALL)  # up to a comma that has no backslash of its own
_ESCAPED = re.compile(r"\\([\\,])")
_NUMBER = re.compile(r"-?[0-9]{1,17}(\.[0-9]{1,17})?")

SearchWords = Annotated[str, Field(max_length=200), Storable]
Value = TypeVar("Value")
Choice = TypeVar("Choice")
PriceLimit = Annotated[int, Field(ge=0, le=LARGEST_AMOUNT)]
_STARS = r"^(?:[0-4](?:\.[0-9]{1,2})?|5(?:\.00?)?)$"


def _as_written(given: str) -> str:
    if not re.match(_STARS, given):
        raise PydanticCustomError("not_stars", "must be a number from 0 to 5 with at most two decimals")
    return given


def _split(given: object) -> object:
    """`red,blue` are two values. A comma within one is written `\\,`, a backslash `\\\\`. `5.0` is `5` as well."""
    texts = [text for text in (given if isinstance(given, list) else [given]) if isinstance(text, str)]
    parts = [_ESCAPED.sub(r"\1", part.strip()) for text in texts for part in _PART.findall(text)]
    numbers = [f"{Decimal(part).normalize():f}" for part in parts if _NUMBER.fullmatch(part)]
    return list(dict.fromkeys(value for value in (*parts, *numbers) if value))


AttributeValues = Annotated[
    list[Annotated[str, Field(max_length=500), Storable]], BeforeValidator(_split), Field(min_length=1, max_length=50)
]


Stars = Annotated[Decimal, BeforeValidator(_as_written), WithJsonSchema({"type": "string", "pattern": _STARS})]


class ProductSort(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "-created_at"
    OLDEST = "created_at"
    CHEAPEST = "price"
    DEAREST = "-price"
    NAME = "name"
    BEST_RATED = "-rating"
    BESTSELLERS = "bestseller"


# PostgreSQL takes "not not" for a nesting, and of that no more than 32 levels.
_DOUBLED_NOT = re.compile(r'-(?=[^\w"-]*-)')


class ProductQuery(PageQuery):
    """Filters of the list; all of them must hold. `attr.NAME` may be there for up to ten attributes."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, AttributeValues]
    families: ClassVar[dict[str, re.Pattern[str]]] = {"attr.NAME": re.compile(r"attr\.[^\x00-\x1f\x7f]{1,50}")}

    q: SearchWords | None = Field(
        default=None,
        description="Words of its name, texts, attributes, categories or SKU; "
        '`"exact phrase"`, `or` and `-not` work as in a web search',
    )
    category: Slug | None = Field(default=None, description="A category's slug; everything below it is included")
    price_gte: PriceLimit | None = Field(
        default=None, alias="price[gte]", description="The cheapest variant costs this or more; `1999` is 19.99"
    )
    price_lte: PriceLimit | None = Field(
        default=None, alias="price[lte]", description="The cheapest variant costs this or less; `1999` is 19.99"
    )
    in_stock: bool | None = Field(default=None, description="Only what can be bought now, or only what is sold out")
    rating_gte: Stars | None = Field(
        default=None, alias="rating[gte]", description="Rated like this or better, on the average; `4.5`"
    )
    rating_lte: Stars | None = Field(
        default=None, alias="rating[lte]", description="Rated at all, and like this or worse, on the average"
    )
    facets: bool = Field(default=False, description="Tell beside the page which filters would leave how much")
    sort: ProductSort | None = Field(
        default=None, description="By `relevance` when searching with `q`, otherwise the newest first"
    )

    @field_validator("q")
    @classmethod
    def _blank_is_no_search(cls, q: str | None) -> str | None:
        return _DOUBLED_NOT.sub("", q) if q and not q.isspace() else None

    @field_validator("sort")
    @classmethod
    def _relevance_needs_words(cls, sort: ProductSort | None, info: ValidationInfo) -> ProductSort | None:
        if sort is ProductSort.RELEVANCE and info.data.get("q") is None:
            raise PydanticCustomError("relevance_without_q", "sorting by relevance needs a search (`q`)")
        return sort

    @model_validator(mode="after")
    def _few_attributes(self) -> "ProductQuery":
        if len(self.__pydantic_extra__) > MOST_ATTRIBUTES:
            raise PydanticCustomError("too_many_attributes", "filters by more than {most} attributes", {"most": 10})
        return self

    @property
    def order(self) -> ProductSort:
        return self.sort or (ProductSort.RELEVANCE if self.q else ProductSort.NEWEST)

    @property
    def attributes(self) -> dict[str, list[str]]:
        """For each attribute that was asked for, in the order of their names, the values it may have."""
        return {name.removeprefix("attr."): values for name, values in sorted(self.__pydantic_extra__.items())}

    def filters(self) -> dict[str, Any]:
        """The filters that were given, but for the attributes."""
        names = {"q", "category", "price_gte", "price_lte", "in_stock", "rating_gte", "rating_lte"}
        return self.model_dump(include=names, exclude_none=True)

    def bound(self) -> dict[str, object]:
        return {**self.filters(), "attributes": self.attributes, "sort": self.order}


class FacetValue(Output, Generic[Value]):
    """`count` is how many products the list has with this value in place of what was chosen here."""

    value: Value
    count: int


class CategoryValue(FacetValue[str]):
    """With everything in the categories below."""

    name: str


class Facet(Output, Generic[Choice]):
    """The choices of one filter, which does not narrow them itself; the other filters do.

    When `capped`, that leaves more than 5 000 products, and only so many of them are counted: there are at least as
    many as `count` says.
    """

    values: list[Choice]
    capped: bool


class PriceFacet(Output):
    """The cheapest and the dearest, none when nothing has a price; `capped` as in other facets."""

    min: Money | None
    max: Money | None
    capped: bool


class Facets(Output):
    """The choices that are left."""

    categories: Facet[CategoryValue] = Field(description="For `category`; the 100 fullest")
    price: PriceFacet = Field(description="For `price[gte]` and `price[lte]`")
    rating: Facet[FacetValue[int]] = Field(description="For `rating[gte]`: so many stars or more")
    availability: Facet[FacetValue[bool]] = Field(description="For `in_stock`")
    attributes: dict[str, Facet[FacetValue[str]]] = Field(
        description="For `attr.NAME`; the 20 most frequent attributes, and of each the 20 most frequent values. A "
        "value is told as it is: as a filter, its backslashes are written `\\\\` and its commas `\\,`"
    )


def _facet(*values: dict[str, Any]) -> JsonDict:
    return {"values": list(values), "capped": False}


_FACETS: JsonDict = {
    "categories": _facet({"value": "tees", "count": 12, "name": "T-shirts"}),
    "price": {"min": {"amount": 1999, "currency": "EUR"}, "max": {"amount": 3999, "currency": "EUR"}, "capped": False},
    "rating": _facet(*[{"value": stars, "count": count} for stars, count in ((4, 7), (3, 9), (2, 9), (1, 9))]),
    "availability": _facet({"value": True, "count": 11}, {"value": False, "count": 1}),
    "attributes": {"material": _facet({"value": "cotton", "count": 10})},
}


class ProductPage(PageRead[ProductCard]):
    """A page of the list, the cursors of its neighbours and, with `facets=true`, the choices that are left."""

    model_config = ConfigDict(json_schema_extra={"example": {**page_example(examples.PRODUCT_CARD), "facets": _FACETS}})

    facets: Facets | None
