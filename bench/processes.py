"""Server processes of the bench, each on its core from its first instruction on."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

from app.dev.embedded.processes import last_lines, stop_server, tethered

START_TIMEOUT_S = 60.0
POLL_INTERVAL_S = 0.05


class CannotMeasure(RuntimeError):
    """A part of the bench did not start or does not do its work. The message says which, and what it said."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Servers and load generator each get a core when there are two; PostgreSQL runs where the system puts it."""

    server: int
    generator: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        usable = sorted(_affinity())
        return cls(usable[0], usable[-1])


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers on a port of 127.0.0.1."""

    port: int
    pid: int


@contextmanager
def serving(
    name: str, command: Sequence[str], environment: Mapping[str, str], home: Path, core: int, port: int, ready: str
) -> Iterator[Server]:
    """Start a server in `home`, its output in `NAME.log` there, and wait for `GET ready`; stop it at the end.

    Raises:
        CannotMeasure: it ended, or did not answer for a minute.
    """
    log = home / f"{name}.log"
    with log.open("wb") as output, on_core(core):
        process = subprocess.Popen(  # noqa: S603  # our own command
            tethered(command),
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, port, ready, log)
        yield Server(port, process.pid)
    finally:
        stop_server(process, (SIGTERM, 10))


def run_to_the_end(name: str, command: Sequence[str], environment: Mapping[str, str], home: Path) -> None:
    """Run a command.

    Raises:
        CannotMeasure: it failed.
    """
    log = home / f"{name}.log"
    with log.open("wb") as output:
        done = subprocess.run(command, env=environment, cwd=home, stdout=output, stderr=output, check=False)  # noqa: S603  # our own command
    if done.returncode != 0:
        raise CannotMeasure(f"{name} failed:\n{last_lines(log)}")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Start child processes inside this block: they stay on the core. Without effect outside Linux."""
    before = _affinity()
    _pin({core})
    try:
        yield
    finally:
        _pin(before)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotMeasure(f"{log.stem} did not start:\n{last_lines(log)}")
        time.sleep(POLL_INTERVAL_S)


def _affinity() -> set[int]:
    return os.sched_getaffinity(0) if sys.platform == "linux" else set(range(os.cpu_count() or 1))


def _pin(cores: set[int]) -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(0, cores)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < http.HTTPStatus.BAD_REQUEST
    except OSError:
        return False
    finally:
        connection.close()
