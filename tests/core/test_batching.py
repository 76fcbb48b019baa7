"""Requests for one thing each, answered together."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from app.core.batching import MOST_TOGETHER, MOST_UNDER_WAY, Batch


class Store:
    """Doubles numbers, and remembers what was asked; knows no negative ones."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.under_way = self.most_under_way = 0
        self.open = asyncio.Event()
        self.open.set()

    async def load(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(keys))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.open.wait()
        self.under_way -= 1
        return {key: key * 2 for key in keys if key >= 0}


@pytest.fixture
def store() -> Store:
    return Store()


async def test_what_is_asked_at_the_same_time_travels_together(store: Store) -> None:
    batch = Batch(store.load)

    assert await asyncio.gather(*(batch.get(key) for key in (1, 2, -1, 2))) == [2, 4, None, 4]
    assert store.asked == [[1, 2, -1]]


async def test_a_later_question_is_asked_anew(store: Store) -> None:
    batch = Batch(store.load)

    assert [await batch.get(1), await batch.get(1)] == [2, 2]
    assert store.asked == [[1], [1]]


async def test_few_queries_are_under_way_and_none_is_too_long(store: Store) -> None:
    batch, keys = Batch(store.load), range(10 * MOST_TOGETHER)
    store.open.clear()
    answers = [asyncio.create_task(batch.get(key)) for key in keys]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    store.open.set()

    assert await asyncio.gather(*answers) == [key * 2 for key in keys]
    assert max(len(asked) for asked in store.asked) == MOST_TOGETHER
    assert store.most_under_way <= MOST_UNDER_WAY


async def test_all_who_waited_hear_of_a_failure_and_the_next_one_does_not() -> None:
    failures = [ConnectionError("gone")]

    async def load(keys: Sequence[int]) -> Mapping[int, int]:
        if failures:
            raise failures.pop()
        return dict.fromkeys(keys, 0)

    batch = Batch(load)
    outcomes = await asyncio.gather(batch.get(1), batch.get(2), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    assert await batch.get(1) == 0


async def test_who_hangs_up_does_not_take_the_answer_along(store: Store) -> None:
    batch = Batch(store.load)
    store.open.clear()
    patient, impatient = asyncio.create_task(batch.get(1)), asyncio.create_task(batch.get(1))
    await asyncio.sleep(0)
    impatient.cancel()
    store.open.set()

    assert await patient == 2
    with pytest.raises(asyncio.CancelledError):
        await impatient
