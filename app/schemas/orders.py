"""Orders, and the payments on them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.models.orders import OrderStatus, PaymentStatus
from app.schemas import examples
from app.schemas.base import Email, Input, Money, Output, PageQuery
from app.schemas.carts import Address, Totals
from app.schemas.text import ShortText

PaymentMethod = Annotated[str, StringConstraints(pattern=r"^pm_[A-Za-z0-9_]{1,100}$")]


class OrderCreate(Input):
    """Everything is optional that the cart or the account knows already; a guest gives an `email`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"email": "ada@example.com", "shipping_address": examples.ADDRESS},
            "not": {
                "required": ["shipping_address", "shipping_address_id"],
                "properties": {"shipping_address": {"type": "object"}, "shipping_address_id": {"type": "string"}},
            },
        }
    )

    expected_total: Money | None = Field(
        default=None, description="The total you saw. When it is not that any more: 409 `totals_changed`."
    )
    email: Email | None = None
    shipping_address: Address | None = None
    shipping_address_id: UUID | None = Field(
        default=None,
        description="One of your saved addresses instead; when neither is given, the cart's, or your default",
    )
    billing_address: Address | None = Field(
        default=None, description="When left out: your default billing address, or the shipping address"
    )
    shipping_method_id: UUID | None = Field(default=None, description="The first that serves the address when left out")
    notes: ShortText | None = None

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if self.shipping_address and self.shipping_address_id:
            raise PydanticCustomError("two_addresses", "takes shipping_address or shipping_address_id, not both")
        return self


class OrderLineRead(Output):
    id: UUID
    variant_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    unit_price: Money
    subtotal: Money
    discount: Money
    tax: Money
    total: Money


class OrderRead(Output):
    """As it was bought: later changes of prices or names do not show."""

    model_config = ConfigDict(json_schema_extra={"example": examples.ORDER})

    id: UUID
    number: str
    status: OrderStatus
    payment_status: PaymentStatus
    fulfillment_status: str
    currency: str
    email: str
    lines: list[OrderLineRead]
    totals: Totals
    prices_include_tax: bool
    shipping_address: Address
    billing_address: Address
    shipping_method: str
    notes: str | None
    placed_at: datetime
    expires_at: datetime = Field(description="Until when the stock is kept for an unpaid order")
    version: int


class PaymentRead(Output):
    """`client_secret` lets a browser finish the payment with the provider's own script."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PAYMENT})

    id: UUID
    order_id: UUID
    status: str
    amount: Money
    client_secret: str | None = Field(description="None while the provider is out of reach: pay later")
    next_action: dict[str, Any] | None = Field(description="What the shopper must do, such as authenticate")


class OrderPlaced(OrderRead):
    model_config = ConfigDict(json_schema_extra={"example": examples.ORDER_PLACED})

    payment: PaymentRead | None = Field(description="None when there is nothing to pay")
    order_token: str | None = Field(description="A guest's key to this order, for `X-Order-Token`")


class PaymentCreate(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"payment_method": "pm_card_visa"}})

    payment_method: PaymentMethod = Field(
        description="The provider's id of a payment method. In development: `pm_card_visa`, `pm_card_chargeDeclined`, "
        "`pm_card_chargeDeclinedInsufficientFunds`, `pm_card_authenticationRequired`."
    )


class PaymentMade(PaymentRead):
    model_config = ConfigDict(json_schema_extra={"example": examples.PAYMENT_MADE})

    order: OrderRead


class OrderEventRead(Output):
    id: UUID
    type: str
    data: dict[str, Any]
    created_at: datetime


class OrderEvents(Output):
    model_config = ConfigDict(json_schema_extra={"example": examples.ORDER_EVENTS})

    data: list[OrderEventRead]


class OrderQuery(PageQuery):
    """Staff with the `support` role see everybody's orders, others their own."""

    sort: Literal["-placed_at"] = Field(default="-placed_at", description="The newest first, which is the only order")
    status: OrderStatus | None = Field(default=None, description="Only orders that have come this far")
    payment_status: PaymentStatus | None = Field(default=None, description="Only orders whose payment stands so")


class WebhookReceived(Output):
    model_config = ConfigDict(json_schema_extra={"example": {"received": True}})

    received: bool
