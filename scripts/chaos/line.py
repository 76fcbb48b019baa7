"""The line to a server, which can be cut, silenced and slowed down while the server itself is well."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from app.dev.embedded.processes import free_port
from scripts.chaos.background import Background

CHUNK = 65536
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset, as the kernel does for a process that died


class Line:
    """A TCP proxy on a port of 127.0.0.1. `upstream`, the server's port, may change: a restarted one has another."""

    def __init__(self, background: Background, upstream: int) -> None:
        self.port = free_port()
        self.upstream = upstream
        self._background = background
        self._delay = 0.0
        self._server: asyncio.Server | None = None
        self._flowing: asyncio.Event
        self._ends: set[asyncio.StreamWriter] = set()
        background.run(self._begin())

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens, and every connection is reset."""
        self._background.run(self._close())
        try:
            yield
        finally:
            self._background.run(self._listen())

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Connections are taken and kept, and nothing comes through."""
        self._background.run(self._freeze())
        try:
            yield
        finally:
            self._background.run(self._thaw())

    @contextmanager
    def delayed(self, seconds: float) -> Iterator[None]:
        """Everything on the way to the server takes this much longer."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    def close(self) -> None:
        self._background.run(self._close())

    async def _begin(self) -> None:
        self._flowing = asyncio.Event()
        self._flowing.set()
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            _reset(end)

    async def _freeze(self) -> None:
        self._flowing.clear()

    async def _thaw(self) -> None:
        self._flowing.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            _reset(writer)
            return
        ends = {writer, up_writer}
        self._ends |= ends
        try:
            await asyncio.gather(self._pump(reader, up_writer, delayed=True), self._pump(up_reader, writer))
        finally:
            self._ends -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, delayed: bool = False) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if delayed and self._delay:
                    await asyncio.sleep(self._delay)
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


def _reset(end: asyncio.StreamWriter) -> None:
    connection: socket.socket | None = end.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    end.transport.abort()
