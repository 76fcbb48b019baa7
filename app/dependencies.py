"""What a router may ask for, each defined once.

All of them are `async def`: FastAPI runs a plain `def` dependency in a thread, which costs more than most of them do.
So does a dependency's dependency: what can be a call is one.
"""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer

from app.core.addresses import network_of
from app.core.context import note
from app.core.rate_limit import HEADERS, LimitReached, RateLimits, as_headers
from app.core.security import AccessClaims
from app.errors import (
    Forbidden,
    IdempotencyKeyRequired,
    InvalidIdempotencyKey,
    InvalidToken,
    PreconditionFailed,
    PreconditionRequired,
)
from app.models.users import Role
from app.services.assortment import AssortmentService
from app.services.auth import AuthService
from app.services.carts import CartService
from app.services.categories import CategoryService
from app.services.inventory import InventoryService
from app.services.listings import ListingService
from app.services.media import MediaService
from app.services.orders import OrderService
from app.services.payments import PaymentService
from app.services.principals import Principal, Shopper
from app.services.products import ProductService
from app.services.related import RelationService
from app.services.reviews import ReviewService
from app.services.suggestions import SuggestionService
from app.services.users import UserService
from app.services.variants import VariantService
from app.shop import Shop

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG = re.compile(r'(?:W/)?"v([0-9]{1,18})(?:-[0-9a-f]{16})?"')

bearer = OAuth2PasswordBearer(
    "/api/v1/auth/token",
    refreshUrl="/api/v1/auth/refresh",
    scheme_name="Account",
    auto_error=False,
    description="Sign in with an e-mail address and a password.",
)
cart_token = APIKeyHeader(
    name="X-Cart-Token",
    scheme_name="Guest cart",
    auto_error=False,
    description="Without an account: the value of this header in the answer to `POST /cart/lines`.",
)
order_token = APIKeyHeader(
    name="X-Order-Token",
    scheme_name="Guest order",
    auto_error=False,
    description="Without an account: the `order_token` in the answer to `POST /orders`.",
)


async def the_shop(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop


TheShop = Annotated[Shop, Depends(the_shop)]


def _service(name: str) -> Any:
    async def pick(request: Request) -> Any:
        return getattr(request.app.state.shop, name)

    return Depends(pick)


Assortment = Annotated[AssortmentService, _service("assortment")]
Auth = Annotated[AuthService, _service("auth")]
Carts = Annotated[CartService, _service("carts")]
Categories = Annotated[CategoryService, _service("categories")]
Inventory = Annotated[InventoryService, _service("inventory")]
Listings = Annotated[ListingService, _service("listings")]
Media = Annotated[MediaService, _service("media")]
Orders = Annotated[OrderService, _service("orders")]
Payments = Annotated[PaymentService, _service("payments")]
Products = Annotated[ProductService, _service("products")]
Relations = Annotated[RelationService, _service("related")]
Reviews = Annotated[ReviewService, _service("reviews")]
Suggesting = Annotated[SuggestionService, _service("suggestions")]
Users = Annotated[UserService, _service("users")]
Variants = Annotated[VariantService, _service("variants")]


# Who is asking


async def optional_user(token: Annotated[str | None, Depends(bearer)], request: Request) -> Principal | None:
    """The signed-in person, or None without a token; a token that is not good is never treated as no token."""
    if token is None:
        return None
    shop = await the_shop(request)
    claims: AccessClaims = shop.tokens.read(token)
    principal = await shop.auth.principal(claims)
    note(actor_id=str(principal.user_id))
    return principal


OptionalUser = Annotated[Principal | None, Depends(optional_user)]


async def current_user(user: OptionalUser) -> Principal:
    if user is None:
        raise InvalidToken
    return user


CurrentUser = Annotated[Principal, Depends(current_user)]


def _staff(*roles: Role) -> Any:
    async def check(user: CurrentUser) -> Principal:
        if user.role not in (*roles, Role.ADMIN):
            raise Forbidden
        return user

    return Depends(check)


CatalogStaff = Annotated[Principal, _staff(Role.CATALOG)]
SupportStaff = Annotated[Principal, _staff(Role.SUPPORT)]
WarehouseStaff = Annotated[Principal, _staff(Role.WAREHOUSE)]


async def shopper(
    request: Request,
    token: Annotated[str | None, Depends(bearer)],
    cart: Annotated[str | None, Depends(cart_token)],
    order: Annotated[str | None, Depends(order_token)],
) -> Shopper:
    """Whoever shops: signed in, or a guest with the token of a cart or an order."""
    user = await optional_user(token, request)
    return Shopper(user_id=user.user_id if user else None, cart_token=cart, order_token=order)


AnyShopper = Annotated[Shopper, Depends(shopper)]


# Names in a path


IdOrSlug = Annotated[str, Path(description="Its `id`, or its `slug`")]
ProductId = Annotated[UUID, Path(description="The product's `id`")]
VariantId = Annotated[UUID, Path(description="The variant's `id`")]


# Headers with a meaning


KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="A value of your own, such as a UUID. Sent again with the same key, the request repeats its "
        "answer and not its deed, for 24 hours. What is to happen anew takes a new key.",
        examples=["5f1c2b9e-2f0a-4a53-9f0e-0d9a35e3a2a1"],
    ),
]


async def optional_key(key: KeyHeader = None) -> str | None:
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey
    return key


async def required_key(key: KeyHeader = None) -> str:
    if key is None or not _KEY.fullmatch(key):
        raise IdempotencyKeyRequired
    return key


OptionalIdempotencyKey = Annotated[str | None, Depends(optional_key)]
IdempotencyKey = Annotated[str, Depends(required_key)]


async def optional_if_match(
    value: Annotated[str | None, Header(alias="If-Match", description='The ETag you read, such as `"v3"`')] = None,
) -> int | None:
    """The version that the caller has seen, if they say so."""
    match = _ETAG.fullmatch(value.strip()) if value is not None else None
    if value is not None and match is None:
        raise PreconditionFailed
    return int(match[1]) if match else None


OptionalIfMatch = Annotated[int | None, Depends(optional_if_match)]


async def if_match(version: OptionalIfMatch) -> int:
    """The version that the caller has seen."""
    if version is None:
        raise PreconditionRequired
    return version


IfMatch = Annotated[int, Depends(if_match)]


def limited(name: str) -> Any:
    """`dependencies=[limited("sign-in")]`: one of the named limits of `app/main.py`, by the caller's address."""

    async def count(request: Request) -> None:
        await _count(request, name, None)

    return Depends(count)


def limited_by_account(name: str) -> Any:
    """The same by the account that is signed in, too: wherever it comes from, and with all its API keys together."""

    async def count(request: Request, user: OptionalUser) -> None:
        await _count(request, name, str(user.user_id) if user else None)

    return Depends(count)


async def _count(request: Request, name: str, account: str | None) -> None:
    limits: RateLimits = request.app.state.rate_limits
    if not limits.enabled:
        return
    told = request.scope["state"].setdefault(HEADERS, [])  # whatever becomes of the request, its answer says this
    try:
        told += as_headers(await run_in_threadpool(limits.check, name, network_of(request.scope), account))
    except LimitReached as reached:
        told += as_headers(reached.quotas)
        raise
