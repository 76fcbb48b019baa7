"""Past orders: priced by the shop's own rules, their stock claimed as if each checkout had happened."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.dev.seed.delivery import EXPRESS, STANDARD, Delivery
from app.dev.seed.ids import Ids
from app.dev.seed.loader import Loader
from app.dev.seed.people import Buyer
from app.dev.seed.stock import Shelf, Warehouse
from app.dev.seed.stories import RESERVED_FOR, Story, story_of
from app.models.inventory import ReservationStatus, StockReservation
from app.models.orders import FulfillmentStatus, Order, OrderEvent, OrderLine, PaymentStatus
from app.models.payments import Payment, Refund, RefundState
from app.repositories.reviews import BOUGHT
from app.schemas.base import CURRENCY
from app.services.pricing import PRICES_INCLUDE_TAX, Item, Quote, price

HISTORY_DAYS = 90
FIRST_NUMBER = 1000  # as the sequence order_numbers starts
REFUND_REASON = "order_cancelled"


class History:
    """Writes orders, oldest first. `bought` says for each product which customer first ordered it when."""

    def __init__(
        self,
        loader: Loader,
        ids: Ids,
        random: Random,
        warehouse: Warehouse,
        delivery: Delivery,
        buyers: list[Buyer],
        for_sale: list[Shelf],
    ) -> None:
        self._loader = loader
        self._ids = ids
        self._random = random
        self._warehouse = warehouse
        self._delivery = delivery
        self._buyers = buyers
        self._weights = [buyer.weight for buyer in buyers]
        self._popular = random.sample(for_sale, len(for_sale))
        self.bought: dict[UUID, dict[UUID, datetime]] = {}

    def write(self, count: int, now: datetime) -> Iterator[None]:
        """Spread so many orders over the last months, more of late and in the evenings; one a step."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        moments = sorted(self._moment(midnight) for _ in range(count))
        for number, moment in enumerate(moments, FIRST_NUMBER):
            self._write_order(number, moment, story_of(now - moment, self._random))
            yield

    def _moment(self, midnight: datetime) -> datetime:
        day = timedelta(days=int(self._random.triangular(1, HISTORY_DAYS + 1, 1)))
        return midnight - day + timedelta(seconds=int(self._random.triangular(6 * 3600, 24 * 3600 - 1, 20 * 3600)))

    def _write_order(self, number: int, at: datetime, story: Story) -> None:
        order_id, ended = self._ids(), at + story.ends_after
        picked = self._pick(order_id, at)
        buyer = self._random.choices(self._buyers, self._weights)[0]
        method = self._delivery.methods[EXPRESS if self._random.random() < 0.15 else STANDARD]
        items = [Item(shelf.variant_id, quantity, shelf.price, shelf.tax_class) for shelf, quantity in picked]
        quote = price(items, self._delivery.rates[buyer.address.country], method)
        address = buyer.address.model_dump()
        events = len(story.timeline)
        self._loader.add(
            Order,
            id=order_id,
            number=f"EM-{number}",
            user_id=buyer.user_id,
            guest_token_hash=None if buyer.user_id else self._random.randbytes(32),
            email=buyer.email,
            status=story.status,
            payment_status=story.payment_status,
            fulfillment_status=FulfillmentStatus.UNFULFILLED,
            currency=CURRENCY,
            prices_include_tax=PRICES_INCLUDE_TAX,
            subtotal=quote.subtotal,
            discount_total=quote.discount,
            shipping_total=quote.shipping,
            tax_total=quote.tax,
            grand_total=quote.total,
            shipping_address=address,
            billing_address=address,
            shipping_method=method.name,
            placed_at=at,
            expires_at=at + RESERVED_FOR,
            version=events,
            created_at=at,
            updated_at=ended,
        )
        if buyer.user_id and story.status in BOUGHT:
            for shelf, _ in picked:
                self.bought.setdefault(shelf.product_id, {}).setdefault(buyer.user_id, at)
        self._write_lines(order_id, picked, quote, story, at)
        self._write_timeline(order_id, quote, story, at)
        self._write_payment(order_id, quote, story, at)

    def _pick(self, order_id: UUID, at: datetime) -> list[tuple[Shelf, int]]:
        """Claim one to four different variants, most of them from the bestsellers."""
        wanted: dict[str, tuple[Shelf, int]] = {}
        for _ in range(self._random.choices((1, 2, 3, 4), (50, 28, 14, 8))[0]):
            shelf = self._popular[int(len(self._popular) * self._random.random() ** 2.5)]
            wanted[shelf.sku] = shelf, self._random.choices((1, 2, 3), (80, 15, 5))[0]
        for shelf, quantity in wanted.values():
            self._warehouse.claim(shelf, quantity, order_id, at)
        return list(wanted.values())

    def _write_lines(
        self, order_id: UUID, picked: list[tuple[Shelf, int]], quote: Quote, story: Story, at: datetime
    ) -> None:
        for (shelf, _), line in zip(picked, quote.lines, strict=True):
            line_id = self._ids()
            self._loader.add(
                OrderLine,
                id=line_id,
                order_id=order_id,
                variant_id=shelf.variant_id,
                sku=shelf.sku,
                name=shelf.name,
                option_values=shelf.option_values,
                quantity=line.quantity,
                unit_price=line.unit_price,
                subtotal=line.subtotal,
                discount=line.discount,
                tax_rate=line.tax_rate,
                tax=line.tax,
                total=line.total,
            )
            self._loader.add(
                StockReservation,
                id=self._ids(),
                order_line_id=line_id,
                order_id=order_id,
                variant_id=shelf.variant_id,
                quantity=line.quantity,
                status=story.reservation,
                expires_at=at + RESERVED_FOR,
            )
            self._settle_stock(shelf, line.quantity, story.reservation, order_id, at + story.ends_after)

    def _settle_stock(
        self, shelf: Shelf, quantity: int, reservation: ReservationStatus, order_id: UUID, at: datetime
    ) -> None:
        if reservation is ReservationStatus.SHIPPED:
            self._warehouse.ship(shelf, quantity, order_id, at)
        elif reservation is not ReservationStatus.COMMITTED:
            self._warehouse.release(shelf, quantity, reservation, order_id, at)

    def _write_timeline(self, order_id: UUID, quote: Quote, story: Story, at: datetime) -> None:
        data: dict[str, dict[str, Any]] = {
            "payment.captured": {"amount": quote.total},
            "payment.failed": {"code": "card_declined", "decline_code": "insufficient_funds"},
            "refund.requested": {"reason": REFUND_REASON, "amount": quote.total},
            "refund.succeeded": {"amount": quote.total},
        }
        for type_, delay in story.timeline:
            self._loader.add(
                OrderEvent,
                id=self._ids(),
                order_id=order_id,
                type=type_,
                data=data.get(type_, {}),
                created_at=at + delay,
            )

    def _write_payment(self, order_id: UUID, quote: Quote, story: Story, at: datetime) -> None:
        payment_id, ended = self._ids(), at + story.ends_after
        captured = quote.total if story.is_captured else 0
        refunded = captured if story.payment_status is PaymentStatus.REFUNDED else 0
        self._loader.add(
            Payment,
            id=payment_id,
            order_id=order_id,
            provider="stripe",
            provider_ref=f"pi_demo_{payment_id.hex}",
            status=story.payment,
            amount=quote.total,
            currency=CURRENCY,
            amount_captured=captured,
            amount_refunded=refunded,
            created_at=at,
            updated_at=ended,
        )
        if refunded:
            refund_id = self._ids()
            self._loader.add(
                Refund,
                id=refund_id,
                payment_id=payment_id,
                amount=refunded,
                reason=REFUND_REASON,
                status=RefundState.SUCCEEDED,
                provider_ref=f"re_demo_{refund_id.hex}",
                created_at=ended,
                updated_at=ended,
            )
