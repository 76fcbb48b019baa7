"""The outbox relay: each committed event reaches the broker, soon, and whatever happens to the two beside it."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import redis.asyncio
from celery import Celery
from kombu.exceptions import OperationalError
from pydantic import SecretStr
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from sqlalchemy import select

from app.database import Database
from app.dev.embedded import RunningValkey, ValkeyServer
from app.dev.embedded.processes import free_port
from app.models.platform import OutboxEvent
from app.settings import Settings
from app.shop import Shop
from tests.support.accounts import all_of
from tests.support.databases import run_on_server
from tests.support.processes import RELAY, Program, eventually, redis_database, running
from worker import relay
from worker.relay import BATCH, Relay

Broker = redis.asyncio.Redis

QUEUES = {"order.confirmed": "default", "order.cancelled": "critical"}


@pytest.fixture
async def broker(redis_url: str) -> AsyncIterator[Broker]:
    """An empty database on the server that all tests share."""
    async with broker_at(redis_database(redis_url, 8)) as broker:
        yield broker


@asynccontextmanager
async def broker_at(url: str) -> AsyncIterator[Broker]:
    async with redis.asyncio.from_url(url) as broker:
        await broker.flushdb()
        yield broker


@pytest.fixture
def app(redis_url: str) -> Iterator[Celery]:
    with Celery(broker=redis_database(redis_url, 8), set_as_current=False) as app:
        yield app


@pytest.fixture
def own_settings(settings: Settings, fresh_database_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(fresh_database_url)})


async def announce(database: Database, *types: str) -> None:
    async with database.transaction() as tx:
        for type_ in types:
            await tx.outbox.announce(type_, uuid4())


async def queued(broker: Broker, queue: str = "default") -> list[str]:
    """The ids of the events in a queue, the first published first; celery keeps the arguments in the body."""
    raw = reversed(await broker.lrange(queue, 0, -1))
    return [json.loads(message)["headers"]["argsrepr"].split("'event_id': '")[1].split("'")[0] for message in raw]


async def written(database: Database, type_: str = "order.confirmed") -> list[str]:
    ids = select(OutboxEvent.event_id).where(OutboxEvent.type == type_).order_by(OutboxEvent.position)
    return [str(event_id) for event_id in await all_of(database, ids)]


async def unpublished(database: Database) -> int:
    return len(await all_of(database, select(OutboxEvent.event_id).where(OutboxEvent.published_at.is_(None))))


async def test_two_relays_share_the_events_and_publish_each_once(fresh_shop: Shop, broker: Broker, app: Celery) -> None:
    await announce(fresh_shop.database, *["order.confirmed"] * (2 * BATCH))
    one, other = Relay(fresh_shop.database, app), Relay(fresh_shop.database, app)

    shares = [*await asyncio.gather(one.publish_waiting(), other.publish_waiting())]

    assert shares == [BATCH, BATCH]
    assert sorted(await queued(broker)) == sorted(await written(fresh_shop.database))
    assert await unpublished(fresh_shop.database) == 0


async def test_a_relay_passes_over_what_another_has_in_hand(fresh_shop: Shop, broker: Broker, app: Celery) -> None:
    await announce(fresh_shop.database, *["order.confirmed"] * 3)

    async with fresh_shop.database.transaction() as tx:
        await tx.outbox.lock_waiting(2)
        assert await Relay(fresh_shop.database, app).publish_waiting() == 1

    assert await queued(broker) == (await written(fresh_shop.database))[2:]


async def test_events_go_to_the_queues_of_their_consumers_in_their_order(
    fresh_shop: Shop, broker: Broker, app: Celery
) -> None:
    await announce(fresh_shop.database, *QUEUES, "order.placed", *QUEUES)

    assert await Relay(fresh_shop.database, app).publish_waiting() == 5

    for type_, queue in QUEUES.items():
        assert await queued(broker, queue) == await written(fresh_shop.database, type_)
    assert await unpublished(fresh_shop.database) == 0  # the one that nobody listens to, too


async def test_what_the_broker_did_not_take_is_still_waiting(fresh_shop: Shop, broker: Broker, app: Celery) -> None:
    await announce(fresh_shop.database, "order.confirmed")

    with (
        Celery(broker=f"redis://127.0.0.1:{free_port()}", set_as_current=False) as nowhere,
        pytest.raises(OperationalError),
    ):
        await Relay(fresh_shop.database, nowhere).publish_waiting()

    assert await unpublished(fresh_shop.database) == 1
    assert await Relay(fresh_shop.database, app).publish_waiting() == 1
    assert await queued(broker) == await written(fresh_shop.database)


async def test_a_change_that_fails_announces_nothing(fresh_shop: Shop, broker: Broker, app: Celery) -> None:
    async def fail_after_announcing() -> None:
        async with fresh_shop.database.transaction() as tx:
            await tx.outbox.announce("order.confirmed", uuid4())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_announcing()

    assert await Relay(fresh_shop.database, app).publish_waiting() == 0
    assert await written(fresh_shop.database) == []


@pytest.fixture
async def server(fresh_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection past the pools, to see and to end the others."""
    connection = await asyncpg.connect(fresh_database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


LISTENERS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'"
    " AND application_name = 'emporium listener' AND query IN ('LISTEN \"outbox\"', 'SELECT 1')"
)
END_THE_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
ANNOUNCE = (
    "INSERT INTO outbox (event_id, type, aggregate_id, payload)"
    " VALUES (gen_random_uuid(), 'order.confirmed', gen_random_uuid(), '{}')"
)


async def test_a_notice_makes_it_prompt_also_after_the_connection_was_lost(
    own_settings: Settings,
    broker: Broker,
    app: Celery,
    server: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay, "LOOK_EVERY", 3600.0)  # so that nothing but a notice wakes it
    stop = asyncio.Event()
    running_relay = asyncio.create_task(relay.run(own_settings, app, stop))

    (first,) = await eventually(lambda: server.fetch(LISTENERS))
    await server.execute(ANNOUNCE)
    await eventually(published(broker, 1))

    async def another_listens() -> bool:
        return any(listener["pid"] != first["pid"] for listener in await server.fetch(LISTENERS))

    await server.execute(END_THE_OTHERS)
    await eventually(another_listens)
    await server.execute(ANNOUNCE)
    await eventually(published(broker, 2))

    stop.set()
    await server.execute(ANNOUNCE)
    await asyncio.wait_for(running_relay, 10)


def said(program: Program, words: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return words in program.said()

    return look


def published(broker: Broker, count: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await broker.llen("default") >= count

    return look


async def test_it_outlives_an_absence_of_the_database(
    own_settings: Settings,
    postgres_url: str,
    redis_url: str,
    broker: Broker,
    server: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    on_its_broker = own_settings.model_copy(update={"redis_url": SecretStr(redis_database(redis_url, 8))})
    name = await server.fetchval("SELECT current_database()")
    with running(RELAY, on_its_broker, tmp_path) as program:
        await eventually(lambda: server.fetch(LISTENERS))

        await run_on_server(postgres_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await server.execute(END_THE_OTHERS)
        await server.execute(ANNOUNCE)
        await eventually(said(program, "could not publish"))
        await run_on_server(postgres_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

        await eventually(published(broker, 1))
        await eventually(lambda: server.fetch(LISTENERS))
        assert program.process.poll() is None


async def test_it_outlives_an_absence_of_the_broker(
    own_settings: Settings, valkey: RunningValkey, server: asyncpg.Connection, tmp_path: Path
) -> None:
    on_its_broker = own_settings.model_copy(update={"redis_url": SecretStr(valkey.url())})
    with running(RELAY, on_its_broker, tmp_path) as program:
        await eventually(lambda: server.fetch(LISTENERS))

        stop(valkey.process)
        await server.execute(ANNOUNCE)
        await eventually(said(program, "could not publish"))
        with started_again(valkey):
            async with patient_client(valkey.url()) as broker:
                await eventually(published(broker, 1))
        assert program.process.poll() is None


def patient_client(url: str) -> Broker:
    """One that waits for a server which is just starting."""
    return redis.asyncio.from_url(url, retry=Retry(ConstantBackoff(0.1), 100))


@contextmanager
def started_again(valkey: RunningValkey) -> Iterator[None]:
    process = subprocess.Popen(valkey.process.args)  # noqa: S603 - the same command line as before
    try:
        yield
    finally:
        stop(process)


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    with ValkeyServer(tmp_path_factory.mktemp("broker"), fast=True).running() as server:
        yield server


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(10)
