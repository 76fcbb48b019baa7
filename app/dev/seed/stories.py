"""What became of past orders, as data: where each ended on the three axes, and what its timeline says."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from app.models.inventory import ReservationStatus
from app.models.orders import OrderStatus, PaymentStatus
from app.models.payments import PaymentState

RESERVED_FOR = timedelta(minutes=15)


@dataclass(frozen=True)
class Story:
    """`timeline` says how long after the order was placed each event came."""

    status: OrderStatus
    payment_status: PaymentStatus
    payment: PaymentState
    reservation: ReservationStatus
    timeline: tuple[tuple[str, timedelta], ...]

    @property
    def is_captured(self) -> bool:
        return self.payment is PaymentState.SUCCEEDED

    @property
    def ends_after(self) -> timedelta:
        return self.timeline[-1][1]


_PLACED = ("order.placed", timedelta(0))
_PAID = (_PLACED, ("payment.captured", timedelta(minutes=2)), ("order.confirmed", timedelta(minutes=2)))
_DECLINED_FIRST = (
    _PLACED,
    ("payment.failed", timedelta(minutes=2)),
    ("payment.captured", timedelta(minutes=4)),
    ("order.confirmed", timedelta(minutes=4)),
)
_PACKED = ("order.processing", timedelta(hours=20))

CONFIRMED = Story(OrderStatus.CONFIRMED, PaymentStatus.PAID, PaymentState.SUCCEEDED, ReservationStatus.COMMITTED, _PAID)
PROCESSING = Story(
    OrderStatus.PROCESSING,
    PaymentStatus.PAID,
    PaymentState.SUCCEEDED,
    ReservationStatus.COMMITTED,
    (*_PAID, _PACKED),
)
COMPLETED = Story(
    OrderStatus.COMPLETED,
    PaymentStatus.PAID,
    PaymentState.SUCCEEDED,
    ReservationStatus.SHIPPED,
    (*_PAID, _PACKED, ("order.completed", timedelta(days=3))),
)
COMPLETED_AFTER_A_DECLINED_CARD = Story(
    OrderStatus.COMPLETED,
    PaymentStatus.PAID,
    PaymentState.SUCCEEDED,
    ReservationStatus.SHIPPED,
    (*_DECLINED_FIRST, _PACKED, ("order.completed", timedelta(days=4))),
)
CANCELLED = Story(
    OrderStatus.CANCELLED,
    PaymentStatus.PENDING,
    PaymentState.CANCELED,
    ReservationStatus.RELEASED,
    (_PLACED, ("order.cancelled", timedelta(minutes=6))),
)
EXPIRED = Story(
    OrderStatus.EXPIRED,
    PaymentStatus.PENDING,
    PaymentState.CANCELED,
    ReservationStatus.EXPIRED,
    (_PLACED, ("order.expired", RESERVED_FOR)),
)
REFUNDED = Story(
    OrderStatus.CANCELLED,
    PaymentStatus.REFUNDED,
    PaymentState.SUCCEEDED,
    ReservationStatus.RELEASED,
    (
        *_PAID,
        ("order.cancelled", timedelta(hours=5)),
        ("refund.requested", timedelta(hours=5)),
        ("refund.succeeded", timedelta(hours=5, minutes=1)),
    ),
)

_ABANDONED = {CANCELLED: 5, EXPIRED: 7, REFUNDED: 3}


def story_of(age: timedelta, random: Random) -> Story:
    """What may have become of an order of this age (a day at least), mostly the best."""
    if age < timedelta(days=2):
        usual = {CONFIRMED: 85}
    elif age < timedelta(days=5):
        usual = {PROCESSING: 85}
    else:
        usual = {COMPLETED: 78, COMPLETED_AFTER_A_DECLINED_CARD: 7}
    stories = usual | _ABANDONED
    return random.choices(list(stories), list(stories.values()))[0]
