"""What a checkout writes down: the order with all that belongs to it, in one statement."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import JSON, Text, Uuid, bindparam, cast, column, func, select, update
from sqlalchemy import literal_column as literally
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.core.encryption import KeyRing
from app.core.reader import Query
from app.core.statements import Statements
from app.models.base import table_of
from app.models.encrypted import seal_address
from app.models.inventory import StockReservation
from app.models.orders import FulfillmentStatus, Order, OrderEvent, OrderLine, OrderStatus, PaymentStatus
from app.models.payments import Payment, PaymentState
from app.models.platform import OutboxEvent


@dataclass(frozen=True, slots=True)
class NewOrderLine:
    """As `OrderLine`."""

    id: UUID
    variant_id: UUID
    sku: str
    name: str
    option_values: dict[str, str]
    quantity: int
    unit_price: int
    subtotal: int
    discount: int
    tax_rate: Decimal
    tax: int
    total: int


@dataclass(slots=True)
class NewOrder:
    """As `Order`, before it has a row: its number and its time are set when it is written."""

    id: UUID
    cart_id: UUID
    user_id: UUID | None
    guest_token_hash: bytes | None
    email: str
    currency: str
    prices_include_tax: bool
    subtotal: int
    discount_total: int
    shipping_total: int
    tax_total: int
    grand_total: int
    shipping_address: dict[str, Any]
    billing_address: dict[str, Any]
    shipping_method: str
    notes: str | None
    expires_at: datetime
    lines: list[NewOrderLine]
    status: str = OrderStatus.PENDING_PAYMENT
    payment_status: str = PaymentStatus.PENDING
    fulfillment_status: str = FulfillmentStatus.UNFULFILLED
    version: int = 1
    number: str = field(init=False)
    placed_at: datetime = field(init=False)


class DuePayment(NamedTuple):
    """As `Payment`, before the provider knows of it."""

    id: UUID
    order_id: UUID
    amount: int
    currency: str
    status: str = PaymentState.REQUIRES_PAYMENT_METHOD


_ORDERS, _LINES, _PAYMENTS = table_of(Order), table_of(OrderLine), table_of(Payment)
_ID = bindparam("id", type_=Uuid)
_NOTHING = literally("'{}'", JSONB)
_TO_JSON = TypeAdapter[Any](Any)
_ADDRESSES = ("shipping_address", "billing_address")
_PLAIN = (
    "id",
    "cart_id",
    "user_id",
    "guest_token_hash",
    "email",
    "status",
    "payment_status",
    "fulfillment_status",
    "currency",
    "prices_include_tax",
    "subtotal",
    "discount_total",
    "shipping_total",
    "tax_total",
    "grand_total",
    "shipping_method",
    "notes",
    "expires_at",
    "version",
)
_PLACED = (
    insert(_ORDERS)
    .values(
        {name: bindparam(name, type_=_ORDERS.c[name].type) for name in _PLAIN}
        | {name: cast(bindparam(name, type_=Text), JSONB) for name in _ADDRESSES}
    )
    .returning(_ORDERS.c.number, _ORDERS.c.placed_at)
    .cte("placed")
)
_OF_A_LINE = [each for each in _LINES.c if each.name != "order_id"]
_BOUGHT = select(
    func.json_to_recordset(cast(bindparam("lines", type_=Text), JSON))
    .table_valued(*(column(each.name, each.type) for each in _OF_A_LINE))
    .render_derived("line", with_types=True)
).cte("bought")
_WRITTEN_WITH_IT = (
    insert(_LINES).from_select(
        ["order_id", *(each.name for each in _OF_A_LINE)], select(_ID, *_BOUGHT.c), include_defaults=False
    ),
    insert(table_of(StockReservation)).from_select(
        ["id", "order_line_id", "order_id", "variant_id", "quantity", "status", "expires_at"],
        select(
            func.uuidv7(),
            _BOUGHT.c.id,
            _ID,
            _BOUGHT.c.variant_id,
            _BOUGHT.c.quantity,
            literally("'active'"),
            bindparam("expires_at", type_=_ORDERS.c.expires_at.type),
        ),
        include_defaults=False,
    ),
    insert(_PAYMENTS).from_select(
        ["id", "order_id", "provider", "status", "amount", "currency", "amount_captured", "amount_refunded"],
        select(
            bindparam("payment_id", type_=Uuid),
            _ID,
            literally("'stripe'"),
            literally("'requires_payment_method'"),
            bindparam("grand_total", type_=_ORDERS.c.grand_total.type),
            bindparam("currency", type_=Text),
            literally("0"),
            literally("0"),
        ).where(bindparam("grand_total", type_=_ORDERS.c.grand_total.type) > literally("0")),
        include_defaults=False,
    ),
    insert(table_of(OrderEvent)).values(
        id=func.uuidv7(), order_id=_ID, type=literally("'order.placed'"), data=_NOTHING
    ),
    insert(table_of(OutboxEvent)).values(
        event_id=func.uuidv7(),
        type=literally("'order.placed'"),
        aggregate_id=_ID,
        payload=_NOTHING,
        attempts=literally("0"),
    ),
)
_PLACE = Query(
    select(_PLACED.c.number, _PLACED.c.placed_at).add_cte(
        *(insertion.cte(f"{insertion.table.name}_written") for insertion in _WRITTEN_WITH_IT)
    )
)
_REFER = Query(
    update(_PAYMENTS)
    .where(_PAYMENTS.c.id == bindparam("payment_id", type_=Uuid))
    .values(provider_ref=bindparam("provider_ref", type_=Text))
)


class CheckoutRepository:
    def __init__(self, statements: Statements, keys: KeyRing) -> None:
        self._statements = statements
        self._keys = keys

    async def place(self, order: NewOrder, payment_id: UUID) -> None:
        """Write the order with its lines, their reservations, its payment unless it is free, and its first event."""
        values: dict[str, Any] = {name: getattr(order, name) for name in _PLAIN}
        values |= {name: self._sealed(getattr(order, name), f"orders.{name}") for name in _ADDRESSES}
        values["lines"] = _TO_JSON.dump_json(order.lines).decode()
        [(order.number, order.placed_at)] = await self._statements.fetch(_PLACE, payment_id=payment_id, **values)

    def _sealed(self, address: dict[str, Any], place: str) -> str:
        return json.dumps(seal_address(address, self._keys, place))

    async def refer(self, payment_id: UUID, provider_ref: str) -> None:
        """What the provider calls the payment."""
        await self._statements.fetch(_REFER, payment_id=payment_id, provider_ref=provider_ref)
