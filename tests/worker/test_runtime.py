"""One event loop and one shop for all tasks of a worker process."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.settings import Settings
from app.shop import Shop
from worker import runtime
from worker.runtime import Runtime


@pytest.fixture
def process(settings: Settings) -> Iterator[Runtime]:
    """A worker process with one connection to its database, so that one which is lost would be missed."""
    opened = Runtime(settings.model_copy(update={"database_pool_size": 1, "task_time_limit": 1}))
    yield opened
    opened.close()


async def ask(shop: Shop, question: str) -> int:
    async with shop.database.transaction() as tx:
        answer: int = (await tx.session.execute(text(question))).scalar_one()
        return answer


def test_the_second_task_finds_the_first_ones_connection(process: Runtime) -> None:
    backends = []

    async def work(shop: Shop) -> None:
        backends.append(await ask(shop, "SELECT pg_backend_pid()"))

    process.run(work)
    process.run(work)

    assert backends[0] == backends[1]


def test_a_task_that_hangs_ends_before_the_process_would_be_killed(process: Runtime) -> None:
    answers = []

    async def hang(shop: Shop) -> None:
        await ask(shop, "SELECT 1 FROM pg_sleep(60)")

    async def work(shop: Shop) -> None:
        answers.append(await ask(shop, "SELECT 42"))

    with pytest.raises(TimeoutError):
        process.run(hang)
    process.run(work)

    assert answers == [42]


def test_the_shortest_limit_leaves_time_to_work(settings: Settings) -> None:
    shortest = next(constraint.ge for constraint in Settings.model_fields["task_time_limit"].metadata)
    process = Runtime(settings.model_copy(update={"task_time_limit": shortest}))
    done = []

    async def work(shop: Shop) -> None:
        await asyncio.sleep(0)
        done.append(await ask(shop, "SELECT 1"))

    process.run(work)
    process.close()

    assert done == [1]


def test_a_task_that_fails_fails_alone(process: Runtime) -> None:
    async def fail(shop: Shop) -> None:
        await ask(shop, "SELECT 1 / 0")

    async def work(shop: Shop) -> None:
        assert await ask(shop, "SELECT 1") == 1

    with pytest.raises(Exception, match="division by zero"):
        process.run(fail)
    process.run(work)


def test_there_are_no_tasks_outside_a_worker() -> None:
    async def work(shop: Shop) -> None:
        raise AssertionError

    with pytest.raises(RuntimeError, match="not a worker process"):
        runtime.run(work)
