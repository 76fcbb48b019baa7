"""From a cart to an order: take the stock and write the order, both or neither (domain rules 1 to 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core.clock import now
from app.core.ids import uuid7
from app.core.metrics import ORDERS
from app.core.security import OrderTokens, digest
from app.database import ShortUnitOfWork
from app.database_errors import DATABASE_ERRORS, LOCK_NOT_AVAILABLE, sqlstate
from app.errors import CartEmpty, CheckoutInProgress, InsufficientStock, NotFound, TotalsChanged, ValidationFailed
from app.models.shipping import ShippingTerms
from app.repositories.addresses import KnownAddresses
from app.repositories.carts import Owner
from app.repositories.carts_read import ShownCart
from app.repositories.checkout import NewOrder, NewOrderLine
from app.schemas.base import Money
from app.schemas.carts import Address
from app.schemas.orders import OrderCreate
from app.services.cart_view import items_of
from app.services.pricing import PRICES_INCLUDE_TAX, Quote, price
from app.services.principals import Shopper


@dataclass(frozen=True, slots=True)
class Checkout:
    """The first of the three phases. Its caller holds the transaction and the idempotency key."""

    shopper: Shopper
    data: OrderCreate
    tokens: OrderTokens
    reservation: timedelta
    home_country: str

    async def prepare(self, tx: ShortUnitOfWork, order_id: UUID, payment_id: UUID) -> NewOrder:
        """Price the cart, write the order with its unpaid payment and reserve its stock.

        Raises:
            CartEmpty: there is no cart, or nothing in it.
            CheckoutInProgress: another request has held the cart for too long.
            TotalsChanged: the total is not what the shopper said they saw.
            InsufficientStock: names every line that is short; nothing has changed.
            NotFound: the shopper has no such address.
            ValidationFailed: an address, an e-mail address or a way to ship is missing.
        """
        cart_id = await self._convert(tx)
        book = await self._book(tx)
        cart = await self._cart(tx, cart_id, book)
        address = self._shipping_address(cart, book)
        method = self._method(cart, address)
        quote = price(items_of(cart), cart.tax_rates, method)
        self._must_be_as_seen(quote, cart.currency)

        _must_be_there({line.variant_id: (line.quantity, line.available) for line in cart.lines})

        order = self._order(order_id, cart, quote, address, self._billing_address(address, book), method)
        await tx.checkout.place(order, payment_id)
        # Last, so that the row which everybody wants is locked for a moment only.
        quantities = {line.variant_id: line.quantity for line in cart.lines}
        short = await tx.stock.claim(quantities, str(order_id))
        _must_be_there({variant: (quantities[variant], left) for variant, left in short.items()})
        tx.after_commit(lambda: ORDERS.labels("placed").inc())
        return order

    async def _convert(self, tx: ShortUnitOfWork) -> UUID:
        """The id of the cart, which nobody can change any more."""
        try:
            cart_id = await tx.carts.convert(Owner(self.shopper.user_id, self.shopper.cart_hash))
        except DATABASE_ERRORS as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:
                raise CheckoutInProgress from error
            raise
        if cart_id is None:
            raise CartEmpty("There is no open cart. It may have become an order already.")
        return cart_id

    async def _book(self, tx: ShortUnitOfWork) -> KnownAddresses:
        """What the shopper's address book says about this order."""
        data, user_id = self.data, self.shopper.user_id
        if user_id is None or (data.shipping_address and data.billing_address):
            book = KnownAddresses()
        else:
            book = await tx.addresses.for_checkout(user_id, data.shipping_address_id)
        if data.shipping_address_id and book.chosen is None:
            raise NotFound("You have no saved address with this id.")
        return book

    async def _cart(self, tx: ShortUnitOfWork, cart_id: UUID, book: KnownAddresses) -> ShownCart:
        """The cart. Its tax is that of where it goes: where it is told to, or its own address, or the default."""
        told = self._told(book)
        cart = await tx.carts.shown(
            cart_id,
            book.shipping["country"] if book.shipping else self.home_country,
            country=told.country if told else None,
            all_methods=True,
        )
        if not cart.lines:
            raise CartEmpty
        return cart

    def _told(self, book: KnownAddresses) -> Address | None:
        return Address.model_validate(book.chosen) if book.chosen else self.data.shipping_address

    def _shipping_address(self, cart: ShownCart, book: KnownAddresses) -> Address:
        known = self._told(book) or cart.shipping_address or book.shipping
        if known is None:
            raise ValidationFailed.at("/shipping_address", "missing", "Where shall the parcel go?")
        return Address.model_validate(known)

    def _billing_address(self, shipping_address: Address, book: KnownAddresses) -> Address:
        return self.data.billing_address or Address.model_validate(book.billing or shipping_address)

    def _method(self, cart: ShownCart, address: Address) -> ShippingTerms:
        chosen = self.data.shipping_method_id or cart.shipping_method_id
        for method in cart.methods:
            if method.serves(address.country) and chosen in (None, method.id):
                return method
        raise ValidationFailed.at("/shipping_method_id", "not_offered", "No such method serves this address.")

    def _must_be_as_seen(self, quote: Quote, currency: str) -> None:
        expected, actual = self.data.expected_total, Money(amount=quote.total, currency=currency)
        if expected is not None and expected != actual:
            raise TotalsChanged(expected=expected.model_dump(), actual=actual.model_dump())

    def _order(
        self,
        order_id: UUID,
        cart: ShownCart,
        quote: Quote,
        shipping_address: Address,
        billing_address: Address,
        method: ShippingTerms,
    ) -> NewOrder:
        email = self.data.email or cart.email
        if email is None:
            raise ValidationFailed.at("/email", "missing", "Where shall the confirmation go?")
        line_ids = sorted(uuid7() for _ in cart.lines)  # those of one millisecond are in no order
        return NewOrder(
            id=order_id,
            cart_id=cart.id,
            user_id=self.shopper.user_id,
            guest_token_hash=None if self.shopper.user_id else digest(self.tokens.of(order_id)),
            email=email,
            currency=cart.currency,
            prices_include_tax=PRICES_INCLUDE_TAX,
            subtotal=quote.subtotal,
            discount_total=quote.discount,
            shipping_total=quote.shipping,
            tax_total=quote.tax,
            grand_total=quote.total,
            shipping_address=shipping_address.model_dump(),
            billing_address=billing_address.model_dump(),
            shipping_method=method.name,
            notes=self.data.notes,
            expires_at=now() + self.reservation,
            lines=[
                NewOrderLine(
                    id=line_id,
                    variant_id=line.variant_id,
                    sku=line.sku,
                    name=line.name,
                    option_values=line.options,
                    quantity=quoted.quantity,
                    unit_price=quoted.unit_price,
                    subtotal=quoted.subtotal,
                    discount=quoted.discount,
                    tax_rate=quoted.tax_rate,
                    tax=quoted.tax,
                    total=quoted.total,
                )
                for line_id, line, quoted in zip(line_ids, cart.lines, quote.lines, strict=True)
            ],
        )


def _must_be_there(lines: Mapping[UUID, tuple[int, int]]) -> None:
    """Refuse all when one is short. `lines` maps a variant to how many are wanted and how many there are."""
    short = {variant: (wanted, available) for variant, (wanted, available) in lines.items() if available < wanted}
    if short:
        raise InsufficientStock.of(short)
