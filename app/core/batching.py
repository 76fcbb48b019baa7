"""Many requests for one thing each, answered by one query for all of them.

What is asked for during one turn of the event loop travels together, and so does what is asked for while the allowed
number of queries is under way. A lone request waits for nobody: it leaves with the next turn of the loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_UNDER_WAY = 4
MOST_TOGETHER = 100


class Batch(Generic[Key, Value]):
    """`load` answers a mapping with those of the keys that exist."""

    def __init__(self, load: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._load = load
        self._waiting: dict[Key, asyncio.Future[Value | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._called = False

    async def get(self, key: Key) -> Value | None:
        """The value, or None when there is none; raises what `load` raised."""
        future = self._waiting.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._waiting[key] = loop.create_future()
            if not self._called and len(self._tasks) < MOST_UNDER_WAY:
                self._called = True
                loop.call_soon(self._depart)
        return await asyncio.shield(future)  # whoever hangs up does not take the others' answer along

    def _depart(self) -> None:
        self._called = False
        if self._waiting and len(self._tasks) < MOST_UNDER_WAY:
            keys = list(self._waiting)[:MOST_TOGETHER]
            passengers = {key: self._waiting.pop(key) for key in keys}
            task = asyncio.get_running_loop().create_task(self._travel(passengers))
            self._tasks.add(task)
            task.add_done_callback(self._arrived)

    def _arrived(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._depart()

    async def _travel(self, passengers: "dict[Key, asyncio.Future[Value | None]]") -> None:
        try:
            found = await self._load(list(passengers))
        except BaseException as error:
            for future in passengers.values():
                future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
                future.exception()  # retrieved here, because everyone who waited may have hung up
            if not isinstance(error, Exception):
                raise
        else:
            for key, future in passengers.items():
                future.set_result(found.get(key))
