"""Paying, against a provider that speaks Stripe's HTTP."""

from datetime import timedelta
from uuid import UUID

import httpx
from sqlalchemy import select

from app.core.clock import now
from app.database import Database
from app.models.orders import Order
from app.models.payments import Payment, Refund
from app.shop import Shop
from tests.support.accounts import all_of, change, code, events
from tests.support.sandbox import RunningSandbox
from tests.support.shopping import API, add_product, keyed, pay, place, stock_of, stored_order


async def test_a_good_card_confirms_the_order(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database, stock=9)
    order, headers = await place(client, (mug, 2))

    paid = await pay(client, order, headers)

    assert paid.status_code == 201
    assert paid.json()["status"] == "succeeded"
    assert (paid.json()["order"]["status"], paid.json()["order"]["payment_status"]) == ("confirmed", "paid")
    assert await stock_of(database, mug) == (9, 2)
    assert await events(database) == ["order.placed", "payment.captured", "order.confirmed"]


async def test_a_declined_card_may_be_followed_by_a_good_one(client: httpx.AsyncClient, database: Database) -> None:
    order, headers = await place(client, (await add_product(database), 1))

    declined = await pay(client, order, headers, "pm_card_chargeDeclinedInsufficientFunds")
    paid = await pay(client, order, headers)

    assert (declined.status_code, code(declined)) == (402, "card_declined")
    assert declined.json()["decline_code"] == "insufficient_funds"
    assert paid.json()["id"] == order["payment"]["id"]
    assert paid.json()["order"]["payment_status"] == "paid"
    assert len(await all_of(database, select(Payment))) == 1


async def test_a_decline_is_repeated_for_its_key(client: httpx.AsyncClient, database: Database) -> None:
    order, headers = await place(client, (await add_product(database), 1))

    declined = await pay(client, order, headers, "pm_card_chargeDeclined", "k")
    again = await pay(client, order, headers, "pm_card_chargeDeclined", "k")

    assert again.status_code == 402
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["decline_code"] == declined.json()["decline_code"]
    assert (await events(database)).count("payment.failed") == 1


async def test_a_payment_is_made_once(client: httpx.AsyncClient, database: Database) -> None:
    order, headers = await place(client, (await add_product(database), 1))

    first = await pay(client, order, headers, key="k")
    again = await pay(client, order, headers, key="k")
    other = await pay(client, order, headers)

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, code(other)) == (409, "payment_not_possible")
    assert (await events(database)).count("payment.captured") == 1


async def test_authentication_is_the_shoppers_next_step(client: httpx.AsyncClient, database: Database) -> None:
    order, headers = await place(client, (await add_product(database), 1))

    paid = await pay(client, order, headers, "pm_card_authenticationRequired")

    assert (paid.status_code, paid.json()["status"]) == (201, "requires_action")
    assert paid.json()["next_action"]["type"] in {"redirect_to_url", "use_stripe_sdk"}
    assert paid.json()["order"]["status"] == "pending_payment"


async def test_an_unknown_method_is_named(client: httpx.AsyncClient, database: Database) -> None:
    order, headers = await place(client, (await add_product(database), 1))

    refused = await pay(client, order, headers, "pm_nobody_knows")

    assert (refused.status_code, code(refused)) == (422, "validation_failed")
    assert refused.json()["errors"][0]["pointer"] == "/payment_method"
    assert (await pay(client, order, headers)).status_code == 201


async def test_a_provider_that_fails_once_is_asked_again(
    client: httpx.AsyncClient, database: Database, sandbox: RunningSandbox
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    await sandbox.inject("payments", "error", 1)

    assert (await pay(client, order, headers)).status_code == 201


async def test_an_order_can_be_placed_while_the_provider_is_away(
    client: httpx.AsyncClient, database: Database, sandbox: RunningSandbox
) -> None:
    await sandbox.inject("payments", "error", 3)
    order, headers = await place(client, (await add_product(database), 1))

    assert order["payment"]["client_secret"] is None
    assert (await pay(client, order, headers)).json()["order"]["status"] == "confirmed"


async def test_a_payment_fails_cleanly_while_the_provider_is_away(
    client: httpx.AsyncClient, database: Database, sandbox: RunningSandbox
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    await sandbox.inject("payments", "error", 3)

    failed = await pay(client, order, headers, key="k")
    again = await pay(client, order, headers, key="k")

    assert (failed.status_code, code(failed)) == (503, "service_unavailable")
    assert failed.headers["Retry-After"]
    assert again.json()["order"]["status"] == "confirmed"


async def test_cancelling_a_paid_order_gives_the_money_back(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    await pay(client, order, headers)

    await client.post(f"{API}/orders/{order['id']}/cancel", headers=keyed(headers))
    (refund,) = await all_of(database, select(Refund))
    await shop.payments.refund(refund.id)
    await shop.payments.refund(refund.id)

    (payment,) = await all_of(database, select(Payment))
    assert payment.amount_refunded == payment.amount_captured == order["totals"]["total"]["amount"]
    assert (await stored_order(database, order["id"])).payment_status == "refunded"
    assert (await events(database)).count("refund.succeeded") == 1


async def test_an_unpaid_order_expires_and_frees_its_stock(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    mug = await add_product(database, stock=9)
    order, headers = await place(client, (mug, 2))
    await change(database, Order, expires_at=now() - timedelta(hours=1))

    assert await shop.orders.expire_overdue() == 1
    assert await shop.orders.expire_overdue() == 0

    assert (await stored_order(database, order["id"])).status == "expired"
    assert await stock_of(database, mug) == (9, 0)
    assert await shop.inventory.audit() == []
    assert code(await pay(client, order, headers)) == "payment_not_possible"


async def test_an_expired_order_calls_its_payment_off(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    order, _ = await place(client, (await add_product(database), 1))
    await change(database, Order, expires_at=now() - timedelta(hours=1))
    await shop.orders.expire_overdue()

    await shop.payments.call_off(UUID(order["id"]))

    (payment,) = await all_of(database, select(Payment))
    assert payment.status == "canceled"


async def test_a_closed_order_is_not_charged_by_a_key_that_comes_back(
    client: httpx.AsyncClient, database: Database, sandbox: RunningSandbox
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    await sandbox.inject("payments", "error", 3)
    await pay(client, order, headers, key="k")
    await client.post(f"{API}/orders/{order['id']}/cancel", headers=keyed(headers))

    again = await pay(client, order, headers, key="k")

    assert (again.status_code, code(again)) == (409, "payment_not_possible")
    (payment,) = await all_of(database, select(Payment))
    assert payment.amount_captured == 0


async def test_a_payment_that_the_provider_does_not_know_is_called_off_without_it(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    await change(database, Payment, provider_ref="pi_of_another_account")
    await client.post(f"{API}/orders/{order['id']}/cancel", headers=keyed(headers))

    await shop.payments.call_off(UUID(order["id"]))

    assert (await stored_order(database, order["id"])).status == "cancelled"
