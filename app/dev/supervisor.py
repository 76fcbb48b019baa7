"""Runs the shop's programs as child processes: logs, restarts with back-off, and an orderly end."""

import asyncio
import os
import re
import signal
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from app.dev import terminal
from app.dev.embedded.processes import tethered

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
HEALTHY_AFTER_S = 60.0  # a program that ran this long starts again without a grudge
REMEMBERED_LINES = 15
ANSI_COLOURS = re.compile(rb"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Program:
    """A child process to be: an absolute path with its arguments.

    `chatty` shows all its lines on the terminal, otherwise only those that speak of trouble; the log has them
    all.
    """

    name: str
    command: tuple[str, ...]
    colour: str
    chatty: bool = False
    grace_s: float = 10.0


class ProgramFailed(RuntimeError):
    """A program ended that should not have; the message holds the end of what it wrote."""


class _Output(asyncio.Protocol):
    """Cuts what arrives on a pipe into lines, until every process that holds its other end is gone."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._rest = b""
        self.finished = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        if self._rest:
            self._take(self._rest)
        self.finished.set()


class Child:
    """One run of a program, leader of a process group of its own."""

    def __init__(self, program: Program, log: Path) -> None:
        self._program = program
        self._log = log.open("ab")
        self._recent: deque[str] = deque(maxlen=REMEMBERED_LINES)

    async def start(self, environment: Mapping[str, str]) -> None:
        # A pipe of our own: asyncio's would tie the end of the process to the last grandchild that holds it.
        reading, writing = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(self._program.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env=dict(environment),
                start_new_session=True,
            )
        finally:
            os.close(writing)
        loop = asyncio.get_running_loop()
        self._pipe, self._output = await loop.connect_read_pipe(
            lambda: _Output(self._take), os.fdopen(reading, "rb", 0)
        )

    async def ended(self) -> int:
        """Wait for the end, sweep up the group, and return the exit code (negative: the signal)."""
        code = await self._process.wait()
        self._kill_group()
        with suppress(TimeoutError):  # a grandchild in a session of its own may hold the pipe
            async with asyncio.timeout(1):
                await self._output.finished.wait()
        self._pipe.close()
        await self._output.finished.wait()
        self._log.close()
        return code

    async def stop(self) -> int:
        """Ask it to end; after its grace, or when this is cancelled, kill the whole group."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(self._program.grace_s):
                await self._process.wait()
        except (TimeoutError, asyncio.CancelledError):
            self._kill_group()
        return await self.ended()

    def last_words(self) -> str:
        return "\n".join(self._recent)

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _take(self, line: bytes) -> None:
        plain = ANSI_COLOURS.sub(b"", line)
        self._log.write(plain + b"\n")
        self._log.flush()
        text = plain.decode(errors="replace")
        self._recent.append(text)
        if self._program.chatty or terminal.TROUBLE.search(text):
            terminal.echo(self._program.name, self._program.colour, line.decode(errors="replace"))


class Supervisor:
    """Keeps programs running until the block ends, then stops them, the last one first.

    async with Supervisor(environment, logs) as supervisor:
        await supervisor.run(migrations)
        await supervisor.keep(api)
        await supervisor.opened(everything_answers())
    """

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = environment
        self._logs = logs
        self._keepers: list[asyncio.Task[None]] = []
        self._open = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self._logs.mkdir(exist_ok=True)
        for log in self._logs.glob("*.log"):
            log.replace(log.with_name(f"{log.name}.1"))  # this run's and the last one's, no more
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._failure.cancel():
            self._failure.exception()  # seen: whatever ends the block says more
        for keeper in reversed(self._keepers):
            keeper.cancel()
            while not keeper.done():
                try:
                    await asyncio.wait({keeper})
                except asyncio.CancelledError:
                    keeper.cancel()  # a second Ctrl-C: no more grace

    async def run(self, program: Program) -> None:
        """Run a program to its end.

        Raises:
            ProgramFailed: its exit code is not 0.
        """
        child = await self._start(program)
        try:
            code = await child.ended()
        except asyncio.CancelledError:
            await child.stop()
            raise
        if code != 0:
            raise self._failed(program, child, code)

    async def keep(self, program: Program) -> None:
        """Start a program, and start it again whenever it ends by itself."""
        child = await self._start(program)
        self._keepers.append(asyncio.create_task(self._keep(program, child)))

    async def opened(self, answers: asyncio.Task[None]) -> None:
        """Wait for `answers`. Until then a program that ends is not restarted but fails the start.

        Raises:
            ProgramFailed: a kept program ended.
        """
        try:
            await asyncio.wait({answers, self._failure}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answers.cancel()
        if self._failure.done():
            await self._failure
        await answers
        self._open = True

    async def _start(self, program: Program) -> Child:
        child = Child(program, self._log_of(program))
        await child.start(self._environment)
        return child

    async def _keep(self, program: Program, child: Child) -> None:
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_S
        while True:
            started = loop.time()
            try:
                code = await child.ended()
            except asyncio.CancelledError:
                await child.stop()
                raise
            if not self._open:
                if not self._failure.done():
                    self._failure.set_exception(self._failed(program, child, code))
                return
            if loop.time() - started > HEALTHY_AFTER_S:
                pause = FIRST_PAUSE_S
            terminal.say(
                f"{program.name} {_described(code)} and starts again in {pause:.0f} s "
                f"(its log: {self._log_of(program)})",
                "yellow",
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
            child = await self._start(program)

    def _failed(self, program: Program, child: Child, code: int) -> ProgramFailed:
        return ProgramFailed(
            f"{program.name} {_described(code)}. Its log {self._log_of(program)} ends with:\n\n{child.last_words()}"
        )

    def _log_of(self, program: Program) -> Path:
        return self._logs / f"{program.name}.log"


def _described(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
