"""What a router may ask for, each defined once.

All of them are `async def`: FastAPI runs a plain `def` dependency in a thread, which costs more than most of them do.
So does a dependency's dependency: what can be a call is one.
"""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Path, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer

from app.core.addresses import network_of
from app.core.conditional import IF_MATCH, Versions, versions_in
from app.core.context import note
from app.core.rate_limit import HEADERS, LimitReached, RateLimits, as_headers
from app.errors import (
    IdempotencyKeyRequired,
    InsufficientScope,
    InvalidIdempotencyKey,
    InvalidIfMatch,
    InvalidToken,
    PreconditionRequired,
)
from app.models.scopes import MEANINGS, Scope
from app.models.users import Role
from app.services.account_deletion import AccountDeletionService
from app.services.addresses import AddressService
from app.services.api_keys import ApiKeyService
from app.services.assortment import AssortmentService
from app.services.auth import AuthService
from app.services.carts import CartService
from app.services.categories import CategoryService
from app.services.email_changes import EmailChangeService
from app.services.inventory import InventoryService
from app.services.jobs import JobService
from app.services.listings import ListingService
from app.services.media import MediaService
from app.services.orders import OrderService
from app.services.passwords import PasswordService
from app.services.payments import PaymentService
from app.services.personal_data import PersonalDataService
from app.services.principals import Caller, Principal, Shopper
from app.services.products import ProductService
from app.services.registrations import RegistrationService
from app.services.related import RelationService
from app.services.reviews import ReviewService
from app.services.second_factors import SecondFactorService
from app.services.sessions import SessionService
from app.services.suggestions import SuggestionService
from app.services.user_administration import UserAdministrationService
from app.services.users import UserService
from app.services.variants import VariantService
from app.shop import Shop

_VISIBLE_ASCII = "^[!-~]{1,255}$"
_KEY = re.compile(_VISIBLE_ASCII)

bearer = OAuth2PasswordBearer(
    "/api/v1/auth/token",
    refreshUrl="/api/v1/auth/refresh",
    scheme_name="Account",
    scopes={role.value: f"Everything that comes with the role `{role}`" for role in Role} | MEANINGS,
    auto_error=False,
    description="Sign in with an e-mail address and a password. Without a scope you may do all that your role allows.",
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


ApiKeys = Annotated[ApiKeyService, _service("api_keys")]
AccountDeletions = Annotated[AccountDeletionService, _service("account_deletion")]
Administration = Annotated[UserAdministrationService, _service("administration")]
Addresses = Annotated[AddressService, _service("addresses")]
Assortment = Annotated[AssortmentService, _service("assortment")]
Auth = Annotated[AuthService, _service("auth")]
Carts = Annotated[CartService, _service("carts")]
Categories = Annotated[CategoryService, _service("categories")]
Credentials = Annotated[PasswordService, _service("credentials")]
EmailChanges = Annotated[EmailChangeService, _service("email_changes")]
Inventory = Annotated[InventoryService, _service("inventory")]
Jobs = Annotated[JobService, _service("jobs")]
Listings = Annotated[ListingService, _service("listings")]
Media = Annotated[MediaService, _service("media")]
Orders = Annotated[OrderService, _service("orders")]
Payments = Annotated[PaymentService, _service("payments")]
PersonalData = Annotated[PersonalDataService, _service("personal_data")]
Products = Annotated[ProductService, _service("products")]
Registrations = Annotated[RegistrationService, _service("registrations")]
Relations = Annotated[RelationService, _service("related")]
Reviews = Annotated[ReviewService, _service("reviews")]
SecondFactors = Annotated[SecondFactorService, _service("second_factors")]
Sessions = Annotated[SessionService, _service("sessions")]
Suggesting = Annotated[SuggestionService, _service("suggestions")]
Users = Annotated[UserService, _service("users")]
Variants = Annotated[VariantService, _service("variants")]


# Who is asking, and whether they may


async def identified(request: Request, token: str | None) -> Caller | None:
    """Whose access token or API key this is; None without any. One that is not good is never treated as none."""
    if token is None:
        return None
    shop = await the_shop(request)
    caller = await shop.identification.caller(token)
    note(actor_id=str(caller.user_id or caller.name))
    return caller


async def who_shops(request: Request, scope: Scope, token: str | None, cart: str | None, order: str | None) -> Shopper:
    """A guest needs no scope: the token of a cart or an order opens that one, and nothing else."""
    caller = await identified(request, token)
    if caller is not None:
        _allow(caller, scope)
    return Shopper(caller.user_id if caller else None, cart, order, caller)


def _allow(caller: Caller, *scopes: Scope) -> None:
    missing = [scope for scope in scopes if not caller.may(scope)]
    if missing:
        raise InsufficientScope(scopes=missing)


Token = Annotated[str | None, Depends(bearer)]


def _caller(*scopes: Scope) -> Any:
    """A person or a service who may do all of this."""

    async def check(request: Request, token: Token) -> Caller:
        caller = await identified(request, token)
        if caller is None:
            raise InvalidToken
        _allow(caller, *scopes)
        return caller

    return Security(check, scopes=[*scopes])


def _person(*scopes: Scope) -> Any:
    """Somebody who has signed in, and may do all of this."""

    async def check(request: Request, token: Token) -> Principal:
        caller = await identified(request, token)
        if caller is None:
            raise InvalidToken
        if not isinstance(caller, Principal):
            raise InsufficientScope("This is for people who sign in, not for services.")
        _allow(caller, *scopes)
        return caller

    return Security(check, scopes=[*scopes])


def _shopper(scope: Scope) -> Any:
    """Whoever shops: signed in, or a guest with the token of a cart or an order."""

    async def check(
        request: Request,
        token: Token,
        cart: Annotated[str | None, Depends(cart_token)],
        order: Annotated[str | None, Depends(order_token)],
    ) -> Shopper:
        return await who_shops(request, scope, token, cart, order)

    return Security(check, scopes=[scope])


async def optional_caller(request: Request, token: Token) -> Caller | None:
    """Whoever is asking, if they say so."""
    return await identified(request, token)


OptionalCaller = Annotated[Caller | None, Depends(optional_caller)]
CurrentUser = Annotated[Principal, _person()]
AccountReader = Annotated[Principal, _person(Scope.ACCOUNT_READ)]
AccountWriter = Annotated[Principal, _person(Scope.ACCOUNT_WRITE)]
CartReader = Annotated[Shopper, _shopper(Scope.CART_READ)]
CartWriter = Annotated[Shopper, _shopper(Scope.CART_WRITE)]
CartOwner = Annotated[Principal, _person(Scope.CART_WRITE)]
OrderReader = Annotated[Shopper, _shopper(Scope.ORDERS_READ)]
OrderWriter = Annotated[Shopper, _shopper(Scope.ORDERS_WRITE)]
OrderLister = Annotated[Caller, _caller(Scope.ORDERS_READ)]
ReviewReader = Annotated[Caller, _caller(Scope.REVIEWS_READ)]
ReviewWriter = Annotated[Principal, _person(Scope.REVIEWS_WRITE)]
ReviewModerator = Annotated[Principal, _person(Scope.REVIEWS_MODERATE)]
UserReader = Annotated[Caller, _caller(Scope.USERS_READ)]
UserWriter = Annotated[Principal, _person(Scope.USERS_WRITE)]
CatalogReader = Annotated[Caller, _caller(Scope.CATALOG_READ)]
CatalogWriter = Annotated[Caller, _caller(Scope.CATALOG_WRITE)]
InventoryReader = Annotated[Caller, _caller(Scope.INVENTORY_READ)]
InventoryWriter = Annotated[Caller, _caller(Scope.INVENTORY_WRITE)]
ApiKeyReader = Annotated[Principal, _person(Scope.API_KEYS_READ)]
ApiKeyWriter = Annotated[Principal, _person(Scope.API_KEYS_WRITE)]


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
        json_schema_extra={"pattern": _VISIBLE_ASCII},
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


IfMatchHeader = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description='The ETag you read, such as `"v3"`; several with commas between them, or `*` for whatever is there',
        json_schema_extra={"pattern": IF_MATCH},
    ),
]


async def optional_if_match(value: IfMatchHeader = None) -> Versions:
    """The versions that the caller has seen, if they say so."""
    if value is None:
        return None
    try:
        return versions_in(value)
    except ValueError:
        raise InvalidIfMatch from None


async def if_match(value: IfMatchHeader = None) -> Versions:
    """The versions that the caller has seen."""
    if value is None:
        raise PreconditionRequired
    return await optional_if_match(value)


OptionalIfMatch = Annotated[Versions, Depends(optional_if_match)]
IfMatch = Annotated[Versions, Depends(if_match)]


def limited(name: str) -> Any:
    """`dependencies=[limited("sign-in")]`: one of the named limits of `app/main.py`, by the caller's address."""

    async def count(request: Request) -> None:
        await _count(request, name, None)

    return Depends(count)


def limited_by_account(name: str) -> Any:
    """The same by the account that is signed in, or the API key, too: wherever it comes from."""

    async def count(request: Request, caller: OptionalCaller) -> None:
        await _count(request, name, caller.name if caller else None)

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
