"""What the provider's news do to an order, one after the other."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.metrics import REVENUE
from app.database import Database
from app.gateways.payments import Decline, Intent
from app.models.payments import Payment
from app.services.settlement import refund_in_full, settle
from tests.support.accounts import events
from tests.support.shopping import add_delivery, add_product, place, stored_order

DECLINE = Decline("card_declined", "insufficient_funds", "Your card was declined.")


class Case:
    """One unpaid order and its payment, told news one at a time."""

    def __init__(self, database: Database, order: dict[str, Any]) -> None:
        self.database = database
        self.id = UUID(order["id"])
        total = order["totals"]["total"]["amount"]
        self.asked = Intent("pi_1", "requires_payment_method", total, 0, "EUR", None, None)
        self.paid = replace(self.asked, state="succeeded", amount_received=total)
        self.declined = replace(self.asked, decline=DECLINE)

    async def tell(self, *news: Intent) -> None:
        for intent in news:
            async with self.database.transaction() as tx:
                order = await tx.orders.lock(tx.orders.everyones(), self.id)
                payment = await tx.payments.lock_live_of(self.id)
                assert order
                assert payment
                await settle(tx, order, payment, intent)

    async def state(self) -> tuple[str, str, str]:
        """Of the order, of its payment as the order sees it, and of the payment."""
        order = await stored_order(self.database, str(self.id))
        return order.status, order.payment_status, (await self.payment()).status

    async def payment(self) -> Payment:
        async with self.database.snapshot() as tx:
            payment = await tx.payments.live_of(self.id)
        assert payment
        return payment


@pytest.fixture
async def case(client: httpx.AsyncClient, database: Database) -> Case:
    await add_delivery(database)
    order, _ = await place(client, (await add_product(database), 1))
    return Case(database, order)


async def test_success_is_settled_once(case: Case) -> None:
    revenue = REVENUE.labels("EUR")
    before = revenue._value.get()

    await case.tell(case.paid, case.paid)

    assert await case.state() == ("confirmed", "paid", "succeeded")
    assert (await case.payment()).amount_captured == case.paid.amount
    assert await events(case.database) == ["order.placed", "payment.captured", "order.confirmed"]
    assert revenue._value.get() - before == case.paid.amount


async def test_a_decline_is_noted_once_and_can_be_followed_by_success(case: Case) -> None:
    await case.tell(case.declined, case.declined)
    assert await case.state() == ("pending_payment", "failed", "requires_payment_method")
    assert (await events(case.database)).count("payment.failed") == 1

    await case.tell(case.paid)
    assert await case.state() == ("confirmed", "paid", "succeeded")


@pytest.mark.parametrize(
    ("provider_says", "we_say"),
    [
        ("requires_action", "requires_action"),
        ("processing", "processing"),
        ("requires_confirmation", "processing"),
        ("a_state_of_the_future", "processing"),
    ],
)
async def test_what_is_under_way_changes_the_payment_alone(case: Case, provider_says: str, we_say: str) -> None:
    await case.tell(replace(case.asked, state=provider_says))

    assert await case.state() == ("pending_payment", "pending", we_say)
    assert await events(case.database) == ["order.placed"]


@pytest.mark.parametrize("wrong", [{"amount_received": 1}, {"currency": "USD"}], ids=["amount", "currency"])
async def test_wrong_money_is_looked_at_by_a_person_whatever_comes_next(case: Case, wrong: dict[str, Any]) -> None:
    await case.tell(replace(case.paid, **wrong), case.paid, case.declined)

    assert await case.state() == ("pending_payment", "pending", "needs_review")
    assert (await case.payment()).amount_captured == 0


async def test_no_more_is_refunded_than_was_captured(case: Case) -> None:
    await case.tell(case.paid)

    for _ in range(2):
        async with case.database.transaction() as tx:
            payment = await tx.payments.lock_live_of(case.id)
            assert payment
            await refund_in_full(tx, payment, "requested_by_customer")

    assert (await case.payment()).amount_refunded == case.paid.amount
    assert (await events(case.database)).count("refund.requested") == 1
