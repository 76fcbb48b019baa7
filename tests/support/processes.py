"""The product's own processes, as an operator runs them: started, killed, waited for."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from app.dev.embedded.processes import free_port
from app.settings import Settings
from tests.support.sandbox import wait_until_up

Seen = TypeVar("Seen")

ROOT = Path(__file__).parents[2]
WORKER = ("celery", "--app", "worker.celery_app", "worker", "--concurrency", "1")
RELAY = ("worker.relay",)
WITHIN = 30.0  # seconds; a deadline for a busy machine, not a pause


class Program:
    """A Python module in a process group of its own. What it says is kept in `log`, over all its lives."""

    def __init__(self, module: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        self._command = [sys.executable, "-m", *module]
        self._environment = environment
        self._log = log
        self.process = self._start()

    def restart(self) -> None:
        self.kill()
        self.process = self._start()

    def kill(self) -> None:
        """kill -9, the children included: nobody gets to say goodbye."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def said(self) -> str:
        return self._log.read_text()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own modules
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


@contextmanager
def running(module: tuple[str, ...], settings: Settings, home: Path, **variables: str) -> Iterator[Program]:
    """Run a module with these settings and further environment variables; its log is kept in `home`."""
    log = home / f"{module[0].rpartition('.')[2]}-{len(list(home.iterdir()))}.log"
    program = Program(module, environment_of(settings) | variables, log)
    try:
        yield program
    finally:
        program.kill()


@contextmanager
def running_apis(settings: Settings, home: Path, count: int) -> Iterator[list[str]]:
    """So many API processes, started at once; their addresses, when all answer."""
    with ExitStack() as stack:
        programs = {
            f"http://127.0.0.1:{port}": stack.enter_context(
                running(("app.cli", "serve"), settings, home, SHOP_PORT=str(port))
            )
            for port in (free_port() for _ in range(count))
        }
        for url, program in programs.items():
            wait_until_up(f"{url}/health/ready", program.process)
        yield list(programs)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment from which a process reads these very settings."""
    return os.environ | {name.upper(): _text(value) for name, value in settings if value is not None}


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(_text(each) for each in value) if isinstance(value, tuple) else str(value)


def redis_database(url: str, number: int) -> str:
    """One of the server's sixteen, so that a test's queues are its own."""
    return urlsplit(url)._replace(path=f"/{number}").geturl()


async def eventually(look: Callable[[], Awaitable[Seen]], *, within: float = WITHIN) -> Seen:
    """Look until there is something to see, and return it; fails when there is nothing `within` so many seconds."""
    deadline = time.monotonic() + within
    while not (seen := await look()):
        if time.monotonic() > deadline:
            pytest.fail(f"nothing to see within {within:.0f} s")
        await asyncio.sleep(0.05)
    return seen
