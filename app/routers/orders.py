"""Orders: check out, read, follow, cancel."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response, status

from app.dependencies import IdempotencyKey, OrderLister, OrderReader, Orders, OrderWriter, Payments, limited_by_account
from app.errors import (
    CardDeclined,
    CartEmpty,
    CheckoutInProgress,
    InsufficientStock,
    InvalidCursor,
    InvalidTransition,
    NotFound,
    PaymentNotPossible,
    TotalsChanged,
    Unauthorized,
)
from app.openapi import problems
from app.routers.answers import KEYED, say
from app.schemas.base import PageRead, page_of
from app.schemas.orders import (
    OrderCreate,
    OrderEventRead,
    OrderEvents,
    OrderPlaced,
    OrderQuery,
    OrderRead,
    PaymentCreate,
    PaymentMade,
)

router = APIRouter(prefix="/orders", tags=["Orders"])

OrderId = Annotated[UUID, Path(description="The order's `id`, not its number")]
REFUSALS = (*KEYED, Unauthorized)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=OrderPlaced,
    responses=problems(CartEmpty, CheckoutInProgress, TotalsChanged, InsufficientStock, NotFound, *REFUSALS),
    dependencies=[limited_by_account("order")],
    operation_id="orders_place",
)
async def place_order(data: OrderCreate, shopper: OrderWriter, key: IdempotencyKey, orders: Orders) -> Response:
    """Place an order for the cart.

    Reserves the stock for 15 minutes, all lines or none, and announces the payment. Say what you saw with
    `expected_total`, and a price that changed meanwhile is refused rather than charged. Guests give an `email` and
    keep the `order_token`.
    """
    answer = await orders.place(shopper, data, key)
    return say(answer, Location=f"/api/v1/orders/{answer.content['id']}")


@router.post(
    "/{order_id}/payments",
    status_code=status.HTTP_201_CREATED,
    response_model=PaymentMade,
    responses=problems(CardDeclined, NotFound, PaymentNotPossible, *REFUSALS),
    dependencies=[limited_by_account("order")],
    operation_id="orders_pay",
)
async def pay_order(
    order_id: OrderId, data: PaymentCreate, shopper: OrderWriter, key: IdempotencyKey, payments: Payments
) -> Response:
    """Pay on the server.

    `pm_card_visa` succeeds. After a decline (402) try another method with another key: the payment stays the same.
    """
    return say(await payments.pay(shopper, order_id, data, key))


@router.get("", response_model=PageRead[OrderRead], responses=problems(InvalidCursor), operation_id="orders_list")
async def list_orders(
    query: Annotated[OrderQuery, Query()], lister: OrderLister, orders: Orders
) -> PageRead[OrderRead]:
    """List your orders, newest first; with the `support` role, everybody's."""
    return page_of(await orders.page(lister, query))


@router.get(
    "/{order_id}", response_model=OrderRead, responses=problems(NotFound, Unauthorized), operation_id="orders_get"
)
async def get_order(order_id: OrderId, shopper: OrderReader, orders: Orders, response: Response) -> OrderRead:
    """Show an order. Guests send the `X-Order-Token` they were given."""
    order = await orders.get(shopper, order_id)
    response.headers["ETag"] = f'"v{order.version}"'
    return order


@router.get(
    "/{order_id}/events",
    response_model=OrderEvents,
    responses=problems(NotFound, Unauthorized),
    operation_id="orders_events",
)
async def order_events(order_id: OrderId, shopper: OrderReader, orders: Orders) -> OrderEvents:
    """Follow what happened to an order, oldest first."""
    events = await orders.events(shopper, order_id)
    return OrderEvents(data=[OrderEventRead.model_validate(event) for event in events])


@router.post(
    "/{order_id}/cancel",
    response_model=OrderRead,
    responses=problems(NotFound, InvalidTransition, *REFUSALS),
    operation_id="orders_cancel",
)
async def cancel_order(order_id: OrderId, shopper: OrderWriter, key: IdempotencyKey, orders: Orders) -> Response:
    """Cancel an order that has not been shipped.

    Its stock is free at once; what was paid is refunded.
    """
    return say(await orders.cancel(shopper, order_id, key))
