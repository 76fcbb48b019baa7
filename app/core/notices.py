"""Hearing PostgreSQL's NOTIFY: what a transaction says reaches every listener when it commits, and only then."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import asyncpg

from app.core.logging import get_logger

logger = get_logger(__name__)

APPLICATION_NAME = "emporium listener"
HEARTBEAT = 1.0  # seconds: a connection that died without a word is noticed this soon
TIMEOUT = 2.0
PAUSE_AFTER_FAILURE = 0.5


class Listener:
    """Calls the handler of a channel with each notice's payload.

    While nobody listens notices are lost. So `connected` is called when the listening begins (again), and `lost` as
    soon as it is known to have ended.
    """

    def __init__(
        self,
        url: str,
        handlers: Mapping[str, Callable[[str], object]],
        *,
        connected: Callable[[], object] = lambda: None,
        lost: Callable[[], object] = lambda: None,
    ) -> None:
        self._url = url
        self._handlers = handlers
        self._connected = connected
        self._lost = lost
        self._connection: Any = None
        self._asking = asyncio.Lock()

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.warning("not listening", error=type(error).__name__)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)

    async def catch_up(self) -> None:
        """Wait until everything that was committed before this call has been heard; raises nothing when it cannot be.

        PostgreSQL sends a listener its notices before it says that it is ready for the next statement.
        """
        if self._connection is not None:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._ask()

    async def _listen(self) -> None:
        connection: Any = await asyncpg.connect(
            self._url, timeout=TIMEOUT, command_timeout=TIMEOUT, server_settings={"application_name": APPLICATION_NAME}
        )
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())
        try:
            for channel, handler in self._handlers.items():
                await connection.add_listener(channel, lambda *notice, handler=handler: handler(notice[-1]))
            self._connection = connection
            self._connected()
            while not await _happened(ended, within=HEARTBEAT):
                await self._ask()
            raise ConnectionError("PostgreSQL hung up")
        finally:
            self._connection = None
            self._lost()
            connection.terminate()  # a listener has nothing to say goodbye to

    async def _ask(self) -> None:
        async with self._asking:
            await self._connection.execute("SELECT 1")


async def _happened(event: asyncio.Event, *, within: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), within)
    return event.is_set()
