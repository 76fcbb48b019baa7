"""The shop's own processes: started, killed, and started again as a supervisor would."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from signal import SIGKILL, SIGTERM

from app.dev.embedded.processes import last_lines, tethered

STARTS_WITHIN = 90.0  # seconds
ENDS_WITHIN = 30.0
POLL = 0.02


class CannotGoOn(RuntimeError):
    """The shop under test does not do its work even without a fault. The message says which part."""


class Program:
    """A Python module in a process group of its own; `port` is where it answers `ready` when it is up, if it does."""

    def __init__(
        self, name: str, module: tuple[str, ...], environment: Mapping[str, str], home: Path, port: int | None = None
    ) -> None:
        self.name = name
        self.port = port
        self._command = (sys.executable, "-m", *module)
        self._environment = environment
        self._home = home
        self._log = home / f"{name}.log"
        self._process = self._popen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def start(self) -> None:
        self._process = self._popen()

    def kill(self) -> None:
        """kill -9, its children too: nobody gets to say goodbye."""
        if self.is_running:
            os.killpg(self._process.pid, SIGKILL)
        self._process.wait()

    def terminate(self) -> float:
        """Ask it to end; returns how many seconds that took."""
        began = time.monotonic()
        self._process.send_signal(SIGTERM)
        try:
            self._process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            raise CannotGoOn(f"{self.name} does not end within {ENDS_WITHIN:.0f} s of a SIGTERM") from None
        return time.monotonic() - began

    def wait_until_ready(self, path: str = "/health/ready") -> None:
        """
        Raises:
            CannotGoOn: it ended, or does not answer in time.
        """
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._answers(path):
            if not self.is_running or time.monotonic() > deadline:
                raise CannotGoOn(f"{self.name} did not start:\n{last_lines(self._log)}")
            time.sleep(POLL)

    def _answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with closing(connection):
            try:
                connection.request("GET", path)
                return connection.getresponse().status == http.HTTPStatus.OK
            except (OSError, http.client.HTTPException):
                return False

    def _popen(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own modules
                tethered(self._command),
                env=self._environment,
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


def run_to_the_end(name: str, arguments: tuple[str, ...], environment: Mapping[str, str], home: Path) -> None:
    """Run a `shop` command.

    Raises:
        CannotGoOn: it failed.
    """
    log = home / f"{name}.log"
    with log.open("wb") as output:
        command = (sys.executable, "-m", "app.cli", *arguments)
        done = subprocess.run(command, env=environment, cwd=home, stdout=output, stderr=output, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise CannotGoOn(f"{name} failed:\n{last_lines(log)}")
