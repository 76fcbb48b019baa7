"""From a cart to an order: take the stock and write the order, both or neither (domain rules 1 to 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from app.core.clock import now
from app.core.ids import uuid7
from app.core.metrics import ORDERS
from app.core.security import OrderTokens, digest
from app.database import LOCK_NOT_AVAILABLE, UnitOfWork, sqlstate
from app.errors import CartEmpty, CheckoutInProgress, InsufficientStock, TotalsChanged, ValidationFailed
from app.models.carts import Cart, CartStatus
from app.models.inventory import StockReservation
from app.models.orders import Order, OrderLine, OrderStatus, PaymentStatus
from app.models.payments import Payment
from app.models.shipping import ShippingMethod
from app.schemas.base import Money
from app.schemas.carts import Address
from app.schemas.orders import OrderCreate
from app.services.cart_view import available_of, items_of
from app.services.pricing import PRICES_INCLUDE_TAX, Quote, price
from app.services.principals import Shopper


@dataclass(frozen=True, slots=True)
class Checkout:
    """The first of the three phases. Its caller holds the transaction and the idempotency key."""

    shopper: Shopper
    data: OrderCreate
    tokens: OrderTokens
    reservation: timedelta

    async def prepare(self, tx: UnitOfWork) -> Order:
        """Price the cart, reserve its stock and write the order with its unpaid payment.

        Raises:
            CartEmpty: there is no cart, or nothing in it.
            CheckoutInProgress: another request has held the cart for too long.
            TotalsChanged: the total is not what the shopper said they saw.
            InsufficientStock: names every line that is short; nothing has changed.
            ValidationFailed: an address, an e-mail address or a way to ship is missing.
        """
        cart = await self._cart(tx)
        address = self._address(cart)
        methods = await tx.shipping.methods()
        method = self._method(cart, address, methods)
        quote = price(items_of(cart), await tx.shipping.tax_rates(address.country), method)
        self._must_be_as_seen(quote, cart.currency)

        _must_be_there({line.variant_id: (line.quantity, available_of(line.variant)) for line in cart.lines})

        order = self._order(cart, quote, address, method, await self._email(tx))
        if not await tx.carts.close(cart, CartStatus.CONVERTED):
            raise CartEmpty
        await tx.orders.add(order)
        await tx.inventory.hold(_reservations(order))
        await tx.orders.note(order.id, "order.placed")
        await tx.outbox.announce("order.placed", order.id)
        if order.grand_total:
            await tx.payments.add(Payment(order_id=order.id, amount=order.grand_total, currency=order.currency))
        # Last, so that the row which everybody wants is locked for a moment only.
        quantities = cart.quantities()
        short = await tx.inventory.claim(quantities, str(order.id))
        _must_be_there({variant: (quantities[variant], left) for variant, left in short.items()})
        tx.after_commit(lambda: ORDERS.labels("placed").inc())
        return order

    async def _cart(self, tx: UnitOfWork) -> Cart:
        try:
            cart = await tx.carts.lock_active_of(self.shopper.user_id, self.shopper.cart_hash)
        except DBAPIError as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:
                raise CheckoutInProgress from error
            raise
        if cart is None:
            raise CartEmpty("There is no open cart. It may have become an order already.")
        cart = await tx.carts.shown(cart)
        if not cart.lines:
            raise CartEmpty
        return cart

    def _address(self, cart: Cart) -> Address:
        if self.data.shipping_address:
            return self.data.shipping_address
        if cart.shipping_address:
            return Address.model_validate(cart.shipping_address)
        raise ValidationFailed.at("/shipping_address", "missing", "Where shall the parcel go?")

    def _method(self, cart: Cart, address: Address, methods: Sequence[ShippingMethod]) -> ShippingMethod:
        chosen = self.data.shipping_method_id or cart.shipping_method_id
        for method in methods:
            if method.serves(address.country) and chosen in (None, method.id):
                return method
        raise ValidationFailed.at("/shipping_method_id", "not_offered", "No such method serves this address.")

    def _must_be_as_seen(self, quote: Quote, currency: str) -> None:
        expected, actual = self.data.expected_total, Money(amount=quote.total, currency=currency)
        if expected is not None and expected != actual:
            raise TotalsChanged(expected=expected.model_dump(), actual=actual.model_dump())

    async def _email(self, tx: UnitOfWork) -> str:
        if self.data.email:
            return self.data.email
        user = await tx.users.by_id(self.shopper.user_id) if self.shopper.user_id else None
        if user is None:
            raise ValidationFailed.at("/email", "missing", "Where shall the confirmation go?")
        return user.email

    def _order(self, cart: Cart, quote: Quote, address: Address, method: ShippingMethod, email: str) -> Order:
        order_id = uuid7()
        variants = {line.variant_id: line.variant for line in cart.lines}
        return Order(
            id=order_id,
            cart_id=cart.id,
            user_id=self.shopper.user_id,
            guest_token_hash=None if self.shopper.user_id else digest(self.tokens.of(order_id)),
            email=email,
            status=OrderStatus.PENDING_PAYMENT,
            payment_status=PaymentStatus.PENDING,
            currency=cart.currency,
            prices_include_tax=PRICES_INCLUDE_TAX,
            subtotal=quote.subtotal,
            discount_total=quote.discount,
            shipping_total=quote.shipping,
            tax_total=quote.tax,
            grand_total=quote.total,
            shipping_address=address.model_dump(),
            billing_address=(self.data.billing_address or address).model_dump(),
            shipping_method=method.name,
            notes=self.data.notes,
            expires_at=now() + self.reservation,
            lines=[
                OrderLine(
                    id=uuid7(),
                    variant_id=line.variant_id,
                    sku=variants[line.variant_id].sku,
                    name=variants[line.variant_id].product.name,
                    option_values=variants[line.variant_id].option_values,
                    quantity=line.quantity,
                    unit_price=line.unit_price,
                    subtotal=line.subtotal,
                    discount=line.discount,
                    tax_rate=line.tax_rate,
                    tax=line.tax,
                    total=line.total,
                )
                for line in quote.lines
            ],
        )


def _must_be_there(lines: Mapping[UUID, tuple[int, int]]) -> None:
    """Refuse all when one is short. `lines` maps a variant to how many are wanted and how many there are."""
    short = {variant: (wanted, available) for variant, (wanted, available) in lines.items() if available < wanted}
    if short:
        raise InsufficientStock.of(short)


def _reservations(order: Order) -> list[StockReservation]:
    return [
        StockReservation(
            order_line_id=line.id,
            order_id=order.id,
            variant_id=line.variant_id,
            quantity=line.quantity,
            expires_at=order.expires_at,
        )
        for line in order.lines
    ]
