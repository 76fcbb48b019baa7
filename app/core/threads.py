"""A few threads for work that would hold up the event loop, and a bounded queue in front of them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class TooBusy(Exception):
    """More work is waiting than could be done in a reasonable time."""


class BoundedThreads:
    """Runs at most `threads` functions at once, and takes at most `places` in all, the waiting ones included."""

    def __init__(self, threads: int, *, places: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = places

    async def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """The function's result.

        Raises:
            TooBusy: every place is taken.
        """
        if self._free == 0:
            raise TooBusy
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)
        finally:
            self._free += 1

    def close(self) -> None:
        """Drop what waits; what runs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
