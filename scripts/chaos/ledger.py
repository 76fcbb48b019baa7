"""Whether the books are right: of what the customers were told, of stock, of money and of mails."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from celery import Celery
from sqlalchemy import text

from app.settings import Settings
from app.shop import Shop, open_shop
from scripts.chaos.customers import DOMAIN
from scripts.chaos.figures import Told
from scripts.chaos.mailbox import Mailbox
from worker.consumers import CONSUMERS

PATIENCE = 90.0  # seconds until everything has settled that is going to
NUDGE_EVERY = 3.0  # seconds; in operation the clock does it once a minute
LINES_EACH = 2

_ORDERS = text("SELECT id, email, status, payment_status, grand_total FROM orders WHERE email LIKE '%@' || :domain")
_PAYMENTS = text(
    "SELECT o.email, count(p.id) AS payments, coalesce(sum(p.amount_captured - p.amount_refunded), 0) AS kept,"
    " o.grand_total FROM orders o LEFT JOIN payments p ON p.order_id = o.id"
    " WHERE o.email LIKE '%@' || :domain GROUP BY o.id"
)
_CHARGED = text(  # what the provider itself says of each order
    "SELECT payload #>> '{data,object,metadata,order_id}' AS order_id,"
    " count(DISTINCT payload #>> '{data,object,id}') AS charges"
    " FROM payment_events WHERE type = 'payment_intent.succeeded' GROUP BY 1"
)
_RESERVED = text(
    "SELECT o.email, coalesce(sum(r.quantity), 0) AS reserved FROM orders o"
    " LEFT JOIN stock_reservations r ON r.order_id = o.id AND r.status IN ('active', 'committed')"
    " WHERE o.email LIKE '%@' || :domain GROUP BY o.id"
)
_HALF_DONE = text("SELECT count(*) FROM idempotency_keys WHERE state = 'running'")
_WAITING = text(
    "SELECT count(*) FROM outbox o WHERE published_at IS NULL OR EXISTS"
    " (SELECT FROM unnest(CAST(:consumers AS text[]), CAST(:types AS text[]))"
    " AS told (consumer, type) WHERE told.type = o.type AND NOT EXISTS (SELECT FROM processed_events p"
    " WHERE p.consumer = told.consumer AND p.event_id = o.event_id))"
)
_TELLING = [(name, type_) for name, consumer in CONSUMERS.items() for type_ in consumer.handlers]


@dataclass
class Books:
    """All lists should be empty. What is in them says whose order it is, for a look at the rows and the logs."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    settled_after: float = 0.0

    def since(self, before: "Books") -> "Books":
        """Without what was wrong already."""
        return Books(
            [each for each in self.lost if each not in before.lost],
            [each for each in self.duplicated if each not in before.duplicated],
            [each for each in self.drift if each not in before.drift],
            self.settled_after,
        )


async def check(settings: Settings, told: Told, mailbox: Mailbox) -> Books:
    """Wait until all is settled, and look at the whole run. `settings` lead to the database past the line to it."""
    began = time.monotonic()
    books = Books()
    async with open_shop(settings) as shop:
        waiting = await _until_settled(shop, settings, mailbox, told.paid)
        books.settled_after = time.monotonic() - began
        if waiting:
            books.lost.append(f"{waiting} events that nobody dealt with in {PATIENCE:.0f} s")
        await _orders(shop, told, books)
        await _stock(shop, books)
    for customer, mails in _not_one_each(mailbox.confirmations, told.paid).items():
        (books.duplicated if mails > 1 else books.lost).append(f"{mails} mails to {customer}")
    return books


async def _until_settled(shop: Shop, settings: Settings, mailbox: Mailbox, expected_mails: set[str]) -> int:
    """How many events are still waiting at the end."""
    deadline = time.monotonic() + PATIENCE
    nudge_at = time.monotonic() + NUDGE_EVERY
    consumers, types = zip(*_TELLING, strict=True)
    parameters = {"consumers": list(consumers), "types": list(types)}
    while True:
        [(waiting,)] = await _rows(shop, _WAITING, **parameters)
        if not waiting and expected_mails <= set(mailbox.confirmations):
            return 0
        if time.monotonic() > deadline:
            return int(waiting)
        if time.monotonic() > nudge_at:
            await asyncio.to_thread(_nudge, settings)
            nudge_at += NUDGE_EVERY
        await asyncio.sleep(0.1)


def _nudge(settings: Settings) -> None:
    with Celery(broker=settings.redis_url.get_secret_value(), set_as_current=False) as clock:
        clock.send_task("emporium.publish_lost_events", queue="bulk")


async def _orders(shop: Shop, told: Told, books: Books) -> None:
    orders = await _rows(shop, _ORDERS, domain=DOMAIN)
    stored = {str(row.id): row for row in orders}
    by_customer = Counter(row.email for row in orders)
    books.duplicated += [f"{number} orders of {who}" for who, number in by_customer.items() if number > 1]
    books.duplicated += [f"two answers to {who}" for who, ids in told.bought.items() if len(ids) > 1]
    books.lost += [f"order of {who}" for who, ids in told.bought.items() if not ids <= stored.keys()]
    books.duplicated += [f"ghost order of {who}" for who in by_customer.keys() - told.bought.keys()]
    paid = {row.email for row in orders if (row.status, row.payment_status) == ("confirmed", "paid")}
    books.lost += [f"payment of {who}" for who in told.paid - paid]
    for row in await _rows(shop, _PAYMENTS, domain=DOMAIN):
        if row.payments != 1 or row.kept != (row.grand_total if row.email in paid else 0):
            books.duplicated.append(f"{row.payments} payments, {row.kept} of {row.grand_total}: {row.email}")
    for row in await _rows(shop, _CHARGED):
        if row.order_id in stored and row.charges > 1:
            books.duplicated.append(f"{row.charges} charges of {stored[row.order_id].email}")
    [(half_done,)] = await _rows(shop, _HALF_DONE)
    if half_done:
        books.lost.append(f"{half_done} idempotency keys half done")


async def _stock(shop: Shop, books: Books) -> None:
    for row in await shop.inventory.audit():
        books.drift.append(
            f"variant {row.variant_id}: {row.reserved}, {row.held} held; {row.on_hand}, {row.moved} moved"
        )
    for row in await _rows(shop, _RESERVED, domain=DOMAIN):
        if row.reserved != LINES_EACH:
            books.drift.append(f"{row.reserved} pieces for {row.email}")


def _not_one_each(mails: Counter[str], expected: set[str]) -> dict[str, int]:
    """How many mails those have who have not one each."""
    ours = {to: number for to, number in mails.items() if to.endswith(f"@{DOMAIN}")}
    return {to: ours.get(to, 0) for to in expected | ours.keys() if ours.get(to, 0) != 1}


async def _rows(shop: Shop, statement: Any, **parameters: Any) -> Sequence[Any]:
    async with shop.database.snapshot() as tx:
        return (await tx.session.execute(statement, parameters)).all()
