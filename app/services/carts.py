"""Carts: what a shopper means to buy, always at today's prices and stock (domain rule 9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.clock import now
from app.core.security import digest, new_secret
from app.database import Database, ShortUnitOfWork, retried_on_conflict
from app.errors import InsufficientStock, NotFound, ValidationFailed
from app.models.carts import LARGEST_QUANTITY
from app.repositories.carts import ChangedLine, Owner
from app.repositories.carts_read import ShownCart
from app.schemas.base import CURRENCY
from app.schemas.carts import Address, CartLineCreate, CartRead, CartWarning, ShippingOption
from app.services.cart_view import present, shipping_options
from app.services.idempotency import Answer, Attempt
from app.services.principals import Shopper
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class OpenedCart:
    """`token` is the guest's secret, told once; a customer's cart has none."""

    cart: CartRead
    token: str | None


class CartService:
    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._lifetime = timedelta(days=settings.cart_days)
        self._home_country = settings.home_country

    @retried_on_conflict
    async def open(self, shopper: Shopper) -> OpenedCart:
        """The shopper's cart, or a new one."""
        async with self._database.short_transaction() as tx:
            token = None
            cart_id = await tx.carts.lock_active_of(_owner(shopper))
            if cart_id is None:
                owner, token = await self._open(tx, shopper)
                cart_id = _found(await tx.carts.lock_active_of(owner))
            return OpenedCart(await self._present(tx, cart_id), token)

    async def get(self, shopper: Shopper) -> CartRead:
        return present(await self._active_of(shopper))

    @retried_on_conflict
    async def add_line(self, shopper: Shopper, data: CartLineCreate) -> OpenedCart:
        """Add to what the cart has of that variant already, opening a cart when there is none."""
        async with self._database.short_transaction() as tx:
            return await self._add(tx, shopper, data)

    @retried_on_conflict
    async def add_line_once(self, shopper: Shopper, data: CartLineCreate, key: str) -> OpenedCart | Answer:
        """The same, once for each key.

        Not where a guest's cart is opened: its secret is told once and stored nowhere, so that the answer could not
        be repeated. Nor does it need to be: whoever asks again gets another cart.
        """
        if not shopper.is_known:
            return await self.add_line(shopper, data)
        attempt = Attempt.of(shopper.scope, "POST /cart/lines", key, data)
        async with self._database.short_transaction() as tx:
            claim = await attempt.begin(tx)
            if isinstance(claim, Answer):
                return claim
            opened = await self._add(tx, shopper, data)
            if opened.token:
                await attempt.forget(tx)
                return opened
            return await attempt.complete(tx, 201, opened.cart)

    @retried_on_conflict
    async def change_line(self, shopper: Shopper, line_id: UUID, quantity: int) -> CartRead:
        async with self._database.short_transaction() as tx:
            changed = await tx.carts.change(_owner(shopper), line_id, quantity, self._expiry())
            cart_id = _found(changed.cart_id)
            if changed.variant_id is None:
                raise NotFound
            if changed.quantity is None:
                raise _not_enough(changed.variant_id, quantity, changed.available)
            return await self._present(tx, cart_id)

    @retried_on_conflict
    async def remove_line(self, shopper: Shopper, line_id: UUID) -> CartRead:
        async with self._database.short_transaction() as tx:
            cart_id, removed = await tx.carts.remove(_owner(shopper), line_id, self._expiry())
            if removed is None:
                raise NotFound
            return await self._present(tx, _found(cart_id))

    @retried_on_conflict
    async def clear(self, shopper: Shopper) -> None:
        async with self._database.short_transaction() as tx:
            _found(await tx.carts.clear(_owner(shopper), self._expiry()))

    @retried_on_conflict
    async def set_address(self, shopper: Shopper, address: Address) -> CartRead:
        async with self._database.short_transaction() as tx:
            cart_id = await tx.carts.set_address(_owner(shopper), address.model_dump(), self._expiry())
            return await self._present(tx, _found(cart_id))

    async def shipping_options(self, shopper: Shopper) -> list[ShippingOption]:
        """The methods that serve the cart's address, priced for the goods in it."""
        return shipping_options(await self._active_of(shopper), self._home_country)

    @retried_on_conflict
    async def set_shipping_method(self, shopper: Shopper, method_id: UUID) -> CartRead:
        async with self._database.short_transaction() as tx:
            owner = _owner(shopper)
            cart_id = _found(await tx.carts.lock_active_of(owner))
            cart = await tx.carts.shown(cart_id, self._home_country, all_methods=True)
            if method_id not in {option.id for option in shipping_options(cart, self._home_country)}:
                raise ValidationFailed.at(
                    "/shipping_method_id", "not_offered", "This method does not serve the address."
                )
            await tx.carts.set_method(owner, method_id, self._expiry())
            return await self._present(tx, cart_id)

    @retried_on_conflict
    async def merge(self, user_id: UUID, cart_token: str) -> CartRead:
        """Pour a guest's cart into the customer's. A cart that is gone or merged already changes nothing.

        Quantities add up, capped at the largest a line may have; the warnings name the capped lines.
        """
        async with self._database.short_transaction() as tx:
            # The guest's cart first, always: two merges of one cart meet there and not in a deadlock.
            guest_cart_id = await tx.carts.lock_active_of(Owner(token_hash=digest(cart_token)))
            await tx.carts.open_for_customer(user_id, CURRENCY, self._expiry())
            cart_id = _found(await tx.carts.lock_active_of(Owner(user_id)))
            capped: list[UUID] = []
            if guest_cart_id is not None:
                capped = await tx.carts.pour(guest_cart_id, cart_id, self._expiry())
            shown = await self._present(tx, cart_id)
        return shown.model_copy(update={"warnings": [*shown.warnings, *map(_capped, capped)]})

    async def _add(self, tx: ShortUnitOfWork, shopper: Shopper, data: CartLineCreate) -> OpenedCart:
        owner, token = _owner(shopper), None
        added = await tx.carts.add(owner, data.variant_id, data.quantity, self._expiry())
        if added.cart_id is None:
            owner, token = await self._open(tx, shopper)
            added = await tx.carts.add(owner, data.variant_id, data.quantity, self._expiry())
        cart_id = _found(added.cart_id)
        if added.quantity is None:
            raise await self._refusal(tx, cart_id, data, added)
        return OpenedCart(await self._present(tx, cart_id), token)

    async def _active_of(self, shopper: Shopper) -> ShownCart:
        async with self._database.snapshot() as tx:
            cart = await tx.carts.active_of(_owner(shopper), self._home_country)
        if cart is None:
            raise NotFound(NO_CART)
        return cart

    async def _open(self, tx: ShortUnitOfWork, shopper: Shopper) -> tuple[Owner, str | None]:
        """Give a shopper without a cart one: its owner, and the secret of a new guest's."""
        if shopper.user_id:
            await tx.carts.open_for_customer(shopper.user_id, CURRENCY, self._expiry())
            return Owner(shopper.user_id), None
        token = new_secret()
        await tx.carts.open_for_guest(digest(token), CURRENCY, self._expiry())
        return Owner(token_hash=digest(token)), token

    async def _refusal(
        self, tx: ShortUnitOfWork, cart_id: UUID, data: CartLineCreate, added: ChangedLine
    ) -> ValidationFailed | NotFound | InsufficientStock:
        wanted = await tx.carts.quantity_of(cart_id, data.variant_id) + data.quantity
        if wanted > LARGEST_QUANTITY:
            return ValidationFailed.at("/quantity", "less_than_equal", f"A line holds at most {LARGEST_QUANTITY}.")
        return _not_enough(data.variant_id, wanted, added.available)

    async def _present(self, tx: ShortUnitOfWork, cart_id: UUID) -> CartRead:
        return present(await tx.carts.shown(cart_id, self._home_country))

    def _expiry(self) -> datetime:
        return now() + self._lifetime


NO_CART = "There is no cart. POST /cart makes one."


def _owner(shopper: Shopper) -> Owner:
    return Owner(shopper.user_id, shopper.cart_hash)


def _found(cart_id: UUID | None) -> UUID:
    if cart_id is None:
        raise NotFound(NO_CART)
    return cart_id


def _not_enough(variant_id: UUID, wanted: int, available: int | None) -> NotFound | InsufficientStock:
    if available is None:
        return NotFound("This variant is not for sale.")
    return InsufficientStock.of({variant_id: (wanted, available)})


def _capped(variant_id: UUID) -> CartWarning:
    return CartWarning(
        code="quantity_capped", message=f"A line holds at most {LARGEST_QUANTITY}.", variant_id=variant_id
    )
