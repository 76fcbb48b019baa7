"""The cart, of a guest or of a customer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response, status

from app.dependencies import CartOwner, CartReader, Carts, CartWriter, OptionalIdempotencyKey
from app.errors import InsufficientStock, NotFound
from app.openapi import ANYBODY, problems
from app.routers.answers import KEYED_AT_WILL, say
from app.routers.express import opened_headers
from app.schemas.carts import (
    Address,
    CartLineCreate,
    CartLineUpdate,
    CartMerge,
    CartRead,
    ShippingMethodChoice,
    ShippingOptions,
)
from app.services.carts import OpenedCart
from app.services.idempotency import Answer

router = APIRouter(prefix="/cart", tags=["Cart"])

LineId = Annotated[UUID, Path(description="The line's `id`, as the cart shows it")]
GIVES_TOKEN = {
    "X-Cart-Token": {"description": "A new guest cart's secret: keep it.", "schema": {"type": "string"}},
}


def _opened(opened: OpenedCart, response: Response) -> CartRead:
    response.headers.update(opened_headers(opened))
    return opened.cart


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=CartRead,
    responses={201: {"headers": GIVES_TOKEN}},
    operation_id="cart_open",
    openapi_extra=ANYBODY,
)
async def open_cart(shopper: CartWriter, carts: Carts, response: Response) -> CartRead:
    """Open a cart.

    A customer gets the one they have. A guest gets a new one with its secret in the `X-Cart-Token` header.
    """
    response.headers["Location"] = "/api/v1/cart"
    return _opened(await carts.open(shopper), response)


@router.get("", response_model=CartRead, responses=problems(NotFound), operation_id="cart_get")
async def get_cart(shopper: CartReader, carts: Carts) -> CartRead:
    """Show the cart at today's prices and stock."""
    return await carts.get(shopper)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT, responses=problems(NotFound), operation_id="cart_clear")
async def clear_cart(shopper: CartWriter, carts: Carts) -> None:
    """Empty the cart."""
    await carts.clear(shopper)


@router.post(
    "/lines",
    status_code=status.HTTP_201_CREATED,
    response_model=CartRead,
    responses={201: {"headers": GIVES_TOKEN}, **problems(NotFound, InsufficientStock, *KEYED_AT_WILL)},
    operation_id="cart_add_line",
    openapi_extra=ANYBODY,
)
async def add_line(
    data: CartLineCreate, shopper: CartWriter, key: OptionalIdempotencyKey, carts: Carts, response: Response
) -> CartRead | Response:
    """Put a variant in the cart.

    Adds to what is there of it already. Opens a cart when there is none. Stock is not reserved before checkout.
    A guest who has no cart yet needs no `Idempotency-Key`: asking again opens another cart.
    """
    added = await (carts.add_line_once(shopper, data, key) if key else carts.add_line(shopper, data))
    if isinstance(added, Answer):
        return say(added, ETag=f'"v{added.content["version"]}"')
    return _opened(added, response)


@router.patch(
    "/lines/{line_id}",
    response_model=CartRead,
    responses=problems(NotFound, InsufficientStock),
    operation_id="cart_change_line",
)
async def change_line(line_id: LineId, data: CartLineUpdate, shopper: CartWriter, carts: Carts) -> CartRead:
    """Set how many."""
    return await carts.change_line(shopper, line_id, data.quantity)


@router.delete(
    "/lines/{line_id}", response_model=CartRead, responses=problems(NotFound), operation_id="cart_remove_line"
)
async def remove_line(line_id: LineId, shopper: CartWriter, carts: Carts) -> CartRead:
    """Take a line out."""
    return await carts.remove_line(shopper, line_id)


@router.put("/address", response_model=CartRead, responses=problems(NotFound), operation_id="cart_set_address")
async def set_address(address: Address, shopper: CartWriter, carts: Carts) -> CartRead:
    """Say where it goes: tax and ways to ship depend on it."""
    return await carts.set_address(shopper, address)


@router.get(
    "/shipping-options",
    response_model=ShippingOptions,
    responses=problems(NotFound),
    operation_id="cart_shipping_options",
)
async def shipping_options(shopper: CartReader, carts: Carts) -> ShippingOptions:
    """List the ways to ship this cart, priced."""
    return ShippingOptions(data=await carts.shipping_options(shopper))


@router.put(
    "/shipping-method", response_model=CartRead, responses=problems(NotFound), operation_id="cart_set_shipping_method"
)
async def set_shipping_method(data: ShippingMethodChoice, shopper: CartWriter, carts: Carts) -> CartRead:
    """Choose a way to ship."""
    return await carts.set_shipping_method(shopper, data.shipping_method_id)


@router.post("/merge", response_model=CartRead, operation_id="cart_merge")
async def merge_cart(data: CartMerge, user: CartOwner, carts: Carts) -> CartRead:
    """Pour a guest's cart into yours.

    Signing in with `X-Cart-Token` does the same. Doing it twice changes nothing.
    """
    return await carts.merge(user.user_id, data.cart_token)
