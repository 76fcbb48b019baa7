"""One event loop and one shop for the life of a worker process.

`asyncio.run()` in each task would give each a loop of its own, and the second one would find the pool's connections
bound to a loop that is closed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from app.settings import Settings
from app.shop import Shop, open_shop

OWN_TIME = 0.9  # of Celery's time limit; the rest is for failing cleanly


class Runtime:
    def __init__(self, settings: Settings) -> None:
        self._runner = asyncio.Runner()
        self._opening: AbstractAsyncContextManager[Shop] = open_shop(settings)
        self._limit = settings.task_time_limit * OWN_TIME
        self._shop = self._runner.run(self._opening.__aenter__())

    def run(self, work: Callable[[Shop], Awaitable[None]]) -> None:
        """Run one task's work; raises TimeoutError shortly before Celery's time limit would kill the process."""

        async def within_the_limit() -> None:
            async with asyncio.timeout(self._limit):
                await work(self._shop)

        self._runner.run(within_the_limit())

    def close(self) -> None:
        self._runner.run(self._opening.__aexit__(None, None, None))
        self._runner.close()


_runtime: Runtime | None = None


def open_runtime(settings: Settings) -> None:
    global _runtime  # Celery gives tasks no other place to find it
    _runtime = Runtime(settings)


def close_runtime() -> None:
    global _runtime  # Celery gives tasks no other place to find it
    if _runtime is not None:
        _runtime.close()
        _runtime = None


def run(work: Callable[[Shop], Awaitable[None]]) -> None:
    """Run a task's work on this process's shop."""
    if _runtime is None:
        raise RuntimeError("no runtime: this is not a worker process")
    _runtime.run(work)
