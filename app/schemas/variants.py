"""What carries a price and a SKU."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from app.schemas import examples
from app.schemas.base import CURRENCY, Input, Money, Output, Whole
from app.schemas.text import FilledLine, by_name

Sku = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
OptionText = Annotated[str, Field(min_length=1, max_length=50), FilledLine]
OptionValues = Annotated[
    dict[OptionText, OptionText],
    Field(max_length=5, description="One value for each option", json_schema_extra=by_name),
]
Grams = Annotated[int, Field(ge=0, le=1_000_000, strict=True), Whole]
Pieces = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True), Whole]

VariantStatus = Literal["active", "archived"]


class Price(Money):
    """Money in the one currency that the shop sells in."""

    currency: Annotated[str, StringConstraints(pattern=f"^{CURRENCY}$"), Field(description="ISO 4217")]


class VariantCreate(Input):
    """`stock` is what lies in the warehouse on the first day; later changes are movements of their own."""

    model_config = ConfigDict(json_schema_extra={"example": examples.TEE_IN_M})

    sku: Sku
    option_values: OptionValues = Field(default_factory=dict)
    price: Price
    compare_at: Price | None = Field(default=None, description="The higher price of before, to be struck through")
    weight_g: Grams = 0
    stock: Pieces = 0

    @field_validator("compare_at")
    @classmethod
    def _above_price(cls, compare_at: Price | None, info: ValidationInfo) -> Price | None:
        price = info.data.get("price")
        if compare_at and price and compare_at.amount <= price.amount:
            raise PydanticCustomError("not_above_price", "must be more than the price")
        return compare_at


@with_config(
    ConfigDict(extra="forbid", json_schema_extra={"example": {"price": {"amount": 1799, "currency": CURRENCY}}})
)
class VariantUpdate(TypedDict, total=False):
    """Only what is sent changes. `status` takes a variant off the shop and brings it back."""

    sku: Sku
    option_values: OptionValues
    price: Price
    compare_at: Price | None
    weight_g: Grams
    status: VariantStatus


class VariantRead(Output):
    """`available` is what can be bought now, back-orders included; `version` goes into If-Match."""

    model_config = ConfigDict(json_schema_extra={"example": examples.VARIANT})

    id: UUID
    sku: str
    options: dict[str, str]
    price: Money
    compare_at: Money | None
    available: int
    weight_g: int
    status: VariantStatus
    version: int
