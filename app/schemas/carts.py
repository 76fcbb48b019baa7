"""Carts, addresses and ways to ship."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.models.carts import LARGEST_QUANTITY
from app.schemas import examples
from app.schemas.base import Country, Input, Money, Output, Phone, Secret, Whole
from app.schemas.text import FilledLine, Name

PostalCode = Annotated[str, Field(min_length=1, max_length=20), FilledLine]
Quantity = Annotated[int, Field(ge=1, le=LARGEST_QUANTITY, strict=True), Whole]


class Address(Input):
    """Where a parcel goes."""

    model_config = ConfigDict(json_schema_extra={"example": examples.ADDRESS})

    full_name: Name
    line1: Name
    line2: Name | None = None
    city: Name
    region: Name | None = None
    postal_code: PostalCode
    country: Country
    phone: Phone | None = None


class CartLineCreate(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"variant_id": examples.VARIANT_ID, "quantity": 2}})

    variant_id: UUID
    quantity: Quantity = 1


class CartLineUpdate(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"quantity": 3}})

    quantity: Quantity


class ShippingMethodChoice(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"shipping_method_id": examples.SHIPPING_OPTION["id"]}})

    shipping_method_id: UUID


class CartMerge(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"cart_token": examples.CART_TOKEN}})

    cart_token: Secret


class CartWarning(Output):
    """Something the shopper should know before checking out."""

    code: Literal["unavailable", "insufficient_stock", "quantity_capped"]
    message: str
    variant_id: UUID


class CartLineRead(Output):
    id: UUID
    variant_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    unit_price: Money
    subtotal: Money
    discount: Money
    tax: Money = Field(description="Contained in `total`")
    total: Money
    available: int = Field(description="How many could be ordered now")
    warnings: list[CartWarning]


class Totals(Output):
    """`total` = `subtotal` - `discount` + `shipping`; `tax` is contained in it when prices include tax."""

    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money


class ShippingOption(Output):
    id: UUID
    code: str
    name: str
    price: Money


class CartShipping(Output):
    address: Address | None
    method: ShippingOption | None


class CartRead(Output):
    """At today's prices and stock."""

    model_config = ConfigDict(json_schema_extra={"example": examples.CART})

    id: UUID
    version: int
    currency: str
    status: str
    lines: list[CartLineRead]
    coupons: list[str]
    discounts: list[Money]
    shipping: CartShipping
    totals: Totals
    prices_include_tax: bool
    warnings: list[CartWarning]
    expires_at: datetime


class ShippingOptions(Output):
    model_config = ConfigDict(json_schema_extra={"example": examples.SHIPPING_OPTIONS})

    data: list[ShippingOption]
