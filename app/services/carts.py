"""Carts: what a shopper means to buy, always at today's prices and stock (domain rule 9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.clock import now
from app.core.security import digest, new_secret
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import InsufficientStock, NotFound, ValidationFailed
from app.models.carts import LARGEST_QUANTITY, Cart, CartStatus
from app.schemas.base import CURRENCY
from app.schemas.carts import Address, CartLineCreate, CartRead, CartWarning, ShippingOption
from app.services.cart_view import available_of, present, shipping_options
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
        async with self._database.transaction() as tx:
            cart, token = await self._open(tx, shopper)
            return OpenedCart(await self._present(tx, cart), token)

    async def get(self, shopper: Shopper) -> CartRead:
        async with self._database.snapshot() as tx:
            cart = await tx.carts.active_of(shopper.user_id, shopper.cart_hash)
            if cart is None:
                raise NotFound("There is no cart. POST /cart makes one.")
            return await present(tx, cart, self._home_country)

    @retried_on_conflict
    async def add_line(self, shopper: Shopper, data: CartLineCreate) -> OpenedCart:
        """Add to what the cart has of that variant already, opening a cart when there is none."""
        async with self._database.transaction() as tx:
            cart, token = await self._open(tx, shopper)
            quantities = await tx.carts.quantities(cart)
            wanted = quantities.get(data.variant_id, 0) + data.quantity
            await self._set_quantity(tx, cart, data.variant_id, wanted)
            return OpenedCart(await self._present(tx, cart), token)

    @retried_on_conflict
    async def change_line(self, shopper: Shopper, line_id: UUID, quantity: int) -> CartRead:
        async with self._database.transaction() as tx:
            cart = await self._locked(tx, shopper)
            line = await tx.carts.line(cart, line_id)
            if line is None:
                raise NotFound
            await self._set_quantity(tx, cart, line.variant_id, quantity)
            return await self._present(tx, cart)

    @retried_on_conflict
    async def remove_line(self, shopper: Shopper, line_id: UUID) -> CartRead:
        async with self._database.transaction() as tx:
            cart = await self._locked(tx, shopper)
            if not await tx.carts.remove_line(cart, line_id):
                raise NotFound
            await tx.carts.touch(cart, self._expiry())
            return await self._present(tx, cart)

    @retried_on_conflict
    async def clear(self, shopper: Shopper) -> None:
        async with self._database.transaction() as tx:
            cart = await self._locked(tx, shopper)
            await tx.carts.clear(cart)
            await tx.carts.touch(cart, self._expiry(), shipping_address=None, shipping_method_id=None)

    @retried_on_conflict
    async def set_address(self, shopper: Shopper, address: Address) -> CartRead:
        async with self._database.transaction() as tx:
            cart = await self._locked(tx, shopper)
            await tx.carts.touch(cart, self._expiry(), shipping_address=address.model_dump())
            return await self._present(tx, cart)

    async def shipping_options(self, shopper: Shopper) -> list[ShippingOption]:
        """The methods that serve the cart's address, priced for the goods in it."""
        async with self._database.snapshot() as tx:
            cart = await tx.carts.active_of(shopper.user_id, shopper.cart_hash)
            if cart is None:
                raise NotFound("There is no cart. POST /cart makes one.")
            return shipping_options(cart, await tx.shipping.methods(), self._home_country)

    @retried_on_conflict
    async def set_shipping_method(self, shopper: Shopper, method_id: UUID) -> CartRead:
        async with self._database.transaction() as tx:
            cart = await tx.carts.shown(await self._locked(tx, shopper))
            options = shipping_options(cart, await tx.shipping.methods(), self._home_country)
            if method_id not in {option.id for option in options}:
                raise ValidationFailed.at(
                    "/shipping_method_id", "not_offered", "This method does not serve the address."
                )
            await tx.carts.touch(cart, self._expiry(), shipping_method_id=method_id)
            return await self._present(tx, cart)

    @retried_on_conflict
    async def merge(self, user_id: UUID, cart_token: str) -> CartRead:
        """Pour a guest's cart into the customer's. A cart that is gone or merged already changes nothing.

        Quantities add up, capped at the largest a line may have; the warnings name the capped lines.
        """
        async with self._database.transaction() as tx:
            # The guest's cart first, always: two merges of one cart meet there and not in a deadlock.
            guest = await tx.carts.lock_active_of(None, digest(cart_token))
            cart, _ = await self._open(tx, Shopper(user_id=user_id))
            capped: list[UUID] = []
            if guest is not None:
                capped = await self._pour(tx, guest, cart)
            shown = await self._present(tx, cart)
        return shown.model_copy(update={"warnings": [*shown.warnings, *map(_capped, capped)]})

    async def _pour(self, tx: UnitOfWork, guest: Cart, cart: Cart) -> list[UUID]:
        mine, theirs = await tx.carts.quantities(cart), await tx.carts.quantities(guest)
        sums = {variant: mine.get(variant, 0) + quantity for variant, quantity in theirs.items()}
        if sums:
            await tx.carts.set_quantities(cart, {v: min(quantity, LARGEST_QUANTITY) for v, quantity in sums.items()})
        kept = {
            name: getattr(guest, name)
            for name in ("shipping_address", "shipping_method_id")
            if getattr(cart, name) is None
        }
        await tx.carts.touch(cart, self._expiry(), **kept)
        await tx.carts.close(guest, CartStatus.MERGED)
        return [variant for variant, quantity in sums.items() if quantity > LARGEST_QUANTITY]

    async def _open(self, tx: UnitOfWork, shopper: Shopper) -> tuple[Cart, str | None]:
        """The shopper's active cart, locked; made when there is none."""
        cart = await tx.carts.lock_active_of(shopper.user_id, shopper.cart_hash)
        if cart is not None:
            return cart, None
        if shopper.user_id:
            await tx.carts.open(shopper.user_id, CURRENCY, self._expiry())
            return await self._locked(tx, shopper), None
        token = new_secret()
        cart = Cart(token_hash=digest(token), currency=CURRENCY, expires_at=self._expiry())
        await tx.carts.add(cart)
        return cart, token

    async def _locked(self, tx: UnitOfWork, shopper: Shopper) -> Cart:
        cart = await tx.carts.lock_active_of(shopper.user_id, shopper.cart_hash)
        if cart is None:
            raise NotFound("There is no cart. POST /cart makes one.")
        return cart

    async def _set_quantity(self, tx: UnitOfWork, cart: Cart, variant_id: UUID, quantity: int) -> None:
        if quantity > LARGEST_QUANTITY:
            raise ValidationFailed.at("/quantity", "less_than_equal", f"A line holds at most {LARGEST_QUANTITY}.")
        variants = await tx.products.sellable_variants([variant_id])
        if not variants:
            raise NotFound("This variant is not for sale.")
        available = available_of(variants[0])
        if quantity > available:
            raise InsufficientStock.of({variant_id: (quantity, available)})
        await tx.carts.set_quantities(cart, {variant_id: quantity})
        await tx.carts.touch(cart, self._expiry())

    async def _present(self, tx: UnitOfWork, cart: Cart) -> CartRead:
        return await present(tx, await tx.carts.shown(cart), self._home_country)

    def _expiry(self) -> datetime:
        return now() + self._lifetime


def _capped(variant_id: UUID) -> CartWarning:
    return CartWarning(
        code="quantity_capped", message=f"A line holds at most {LARGEST_QUANTITY}.", variant_id=variant_id
    )
