"""Processes are killed and the broker forgets, between the commit and the mail: the mail arrives, once."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest
import redis.asyncio
from celery import Celery
from sqlalchemy import func, select

from app.core.clock import now
from app.models.platform import EmailLog, OutboxEvent
from app.settings import Settings
from app.shop import Shop
from tests.support.accounts import all_of, change
from tests.support.processes import RELAY, WORKER, Program, eventually, running
from tests.support.sandbox import RunningSandbox
from tests.support.shopping import add_product, check_out, guest_cart, pay

Apis = tuple[httpx.AsyncClient, httpx.AsyncClient]
Broker = redis.asyncio.Redis

PATIENCE = 60.0  # seconds; four times the time limit, a look every five seconds, the start of a worker


@pytest.fixture(scope="module")
def hasty(settings: Settings) -> Settings:
    """The broker hands out again what a dead worker held after four times the time limit."""
    return settings.model_copy(update={"task_time_limit": 4})


@pytest.fixture(scope="module")
def relay(hasty: Settings, home: Path) -> Iterator[Program]:
    with running(RELAY, hasty, home) as relay:
        yield relay


@pytest.fixture(scope="module")
def worker(hasty: Settings, home: Path) -> Iterator[Program]:
    with running(WORKER, hasty, home) as worker:
        yield worker


@pytest.fixture
async def broker(settings: Settings) -> AsyncIterator[Broker]:
    async with redis.asyncio.from_url(settings.redis_url.get_secret_value()) as broker:
        yield broker


@pytest.fixture(autouse=True)
async def nothing_pending(relay: Program, worker: Program, broker: Broker, shop: Shop) -> None:
    """Each test begins with both at work and with nothing left to do."""
    for program in (relay, worker):
        if program.process.poll() is not None:
            program.restart()
    await all_is_done(shop, broker)


async def all_is_done(shop: Shop, broker: Broker) -> None:
    """Wait until no event waits in the outbox, in a queue or in a worker's hands: nothing more will come of it."""

    async def look() -> bool:
        (unpublished,) = await all_of(shop.database, unpublished_events)
        queued = [await broker.llen(queue) for queue in ("critical", "default", "bulk")]
        return not (unpublished or any(queued) or await broker.hlen("unacked"))

    unpublished_events = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.published_at.is_(None))
    await eventually(look, within=PATIENCE)


async def buy(api: httpx.AsyncClient, shop: Shop) -> str:
    """Pay for an order; returns the address to which its confirmation goes."""
    email = f"{uuid4().hex}@example.com"
    cart = await guest_cart(api, (await add_product(shop.database), 1))
    order = (await check_out(api, cart, email=email)).json()
    paid = await pay(api, order, {"X-Order-Token": order["order_token"]})
    assert paid.json()["order"]["status"] == "confirmed", paid.text
    return email


async def assert_one_mail(sandbox: RunningSandbox, shop: Shop, broker: Broker, email: str) -> None:
    await eventually(lambda: sandbox.mails_to(email), within=PATIENCE)
    await all_is_done(shop, broker)
    (mail,) = await sandbox.mails_to(email)
    assert mail["subject"].endswith("is confirmed")


async def hold_the_next_mail(sandbox: RunningSandbox, api: httpx.AsyncClient, shop: Shop) -> str:
    """Buy, and return when the worker has committed that it sends the mail, and the mail server keeps it waiting."""
    await sandbox.inject("smtp", "delay", 1, delay_ms=60_000)
    email = await buy(api, shop)

    async def is_held() -> bool:
        return not await sandbox.faults_to_come()

    await eventually(is_held)
    return email


async def test_a_worker_killed_while_it_sends_leaves_the_mail_to_its_successor(
    apis: Apis, shop: Shop, sandbox: RunningSandbox, worker: Program, broker: Broker
) -> None:
    email = await hold_the_next_mail(sandbox, apis[0], shop)

    worker.kill()

    assert await sandbox.mails_to(email) == []
    unsent = select(func.count()).select_from(EmailLog).where(EmailLog.sent_at.is_(None))
    assert await all_of(shop.database, unsent) == [1]
    worker.restart()
    await assert_one_mail(sandbox, shop, broker, email)
    assert await all_of(shop.database, unsent) == [0]


async def test_a_child_killed_while_it_sends_leaves_the_mail_to_the_next(
    apis: Apis, shop: Shop, sandbox: RunningSandbox, worker: Program, broker: Broker
) -> None:
    email = await hold_the_next_mail(sandbox, apis[0], shop)

    (child,) = psutil.Process(worker.process.pid).children()
    child.kill()

    await assert_one_mail(sandbox, shop, broker, email)


async def test_what_happens_while_nobody_works_is_made_up_for(
    apis: Apis, shop: Shop, sandbox: RunningSandbox, relay: Program, worker: Program, broker: Broker
) -> None:
    relay.kill()
    worker.kill()
    email = await buy(apis[0], shop)

    relay.restart()
    worker.restart()

    await assert_one_mail(sandbox, shop, broker, email)


async def test_a_relay_killed_before_it_noted_what_it_published_publishes_again_to_no_effect(
    apis: Apis, shop: Shop, sandbox: RunningSandbox, broker: Broker
) -> None:
    email = await buy(apis[0], shop)
    await assert_one_mail(sandbox, shop, broker, email)

    await change(shop.database, OutboxEvent, published_at=None)

    await all_is_done(shop, broker)
    assert len(await sandbox.mails_to(email)) == 1


async def test_what_the_broker_lost_comes_again_from_the_outbox(
    apis: Apis, shop: Shop, hasty: Settings, sandbox: RunningSandbox, worker: Program, broker: Broker
) -> None:
    worker.kill()
    email = await buy(apis[0], shop)
    await eventually(lambda: broker.llen("default"))

    await broker.flushdb()
    worker.restart()
    long_ago = now() - timedelta(seconds=2 * hasty.visibility_timeout)
    await change(shop.database, OutboxEvent, published_at=long_ago)
    # What the clock does once a minute.
    with Celery(broker=hasty.redis_url.get_secret_value(), set_as_current=False) as clock:
        clock.send_task("emporium.publish_lost_events", queue="bulk")

    await assert_one_mail(sandbox, shop, broker, email)
