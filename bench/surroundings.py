"""Everything that the bench measures, started for one run in a directory that is deleted afterwards."""

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

from app.dev.embedded import PostgresServer, RunningPostgres, ValkeyServer
from app.dev.embedded.processes import free_port, last_lines, stop_server, tethered
from app.dev.surroundings import DATABASE, Ports, environment_of

START_TIMEOUT_S = 60.0
POLL_INTERVAL_S = 0.05
INHERITED = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")


class CannotMeasure(RuntimeError):
    """A part of the bench did not start. The message says which, and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Server and load generator each get a core when there are two; PostgreSQL runs where the system puts it."""

    server: int
    generator: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        usable = sorted(_affinity())
        return cls(usable[0], usable[-1])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A shop that is open for requests. `floors` starts last, since it sends what the service answered."""

    home: Path
    cores: Cores
    postgres: RunningPostgres
    environment: Mapping[str, str]
    api: "Server"

    @property
    def database_url(self) -> str:
        return self.postgres.url(DATABASE, "postgresql")

    @contextmanager
    def floors(self, bodies: Mapping[str, bytes]) -> Iterator["Server"]:
        """The bare ASGI application on the core of the service; `bodies` are what floor a sends."""
        directory = self.home / "bodies"
        directory.mkdir()
        for name, body in bodies.items():
            (directory / name).write_bytes(body)
        port = free_port()
        environment = {
            **self.environment,
            "FLOOR_BODIES": str(directory),
            "FLOOR_DATABASE_URL": self.database_url,
        }
        command = (
            *(sys.executable, "-m", "uvicorn", "bench.floors:Floors", "--factory", "--port", str(port)),
            *("--interface", "asgi3", "--no-access-log", "--no-server-header", "--log-level", "warning"),
        )
        with _running("floors", command, environment, self.home, self.cores.server) as pid:
            _wait_for(port, "/bytes/" + next(iter(bodies)), self.home / "floors.log")
            yield Server(port, pid)


@dataclass(frozen=True, slots=True)
class Server:
    """Answers on a port of 127.0.0.1."""

    port: int
    pid: int


@contextmanager
def surroundings(products: int, *, observable: bool = False) -> Iterator[Surroundings]:
    """PostgreSQL (durable, as in production), Valkey, the demo shop, the sandbox and one process of the service.

    `observable` lets a profiler look into that process.

    Raises:
        CannotMeasure: one of them did not start.
    """
    cores = Cores.of_this_machine()
    with tempfile.TemporaryDirectory(prefix="emporium-bench-") as directory:
        home = Path(directory)
        with PostgresServer.temporary(fast=False) as postgres, ValkeyServer(home / "valkey").running() as valkey:
            postgres.create_database(DATABASE)
            ports = Ports(api=free_port(), sandbox=free_port(), smtp=free_port())
            outer = {name: os.environ[name] for name in INHERITED if name in os.environ}
            development = environment_of(home, ports, postgres, valkey, outer)
            _run("migrate", ("migrate",), development, home)
            _run("seed", ("seed", "--products", str(products)), development, home)  # production refuses demo data
            production = development | {
                "ENVIRONMENT": "production",
                "LOG_FORMAT": "json",
                "RATE_LIMIT_ENABLED": "false",
                "PYTHONPATH": str(Path(__file__).parent.parent),  # processes run in the directory of their logs
            }
            module = "bench.observable" if observable else "app.cli"
            serve = (sys.executable, "-m", module, "serve")
            with (
                _running("sandbox", (sys.executable, "-m", "sandbox"), development, home, cores.generator),
                _running("api", serve, production, home, cores.server) as api,
            ):
                _wait_for(ports.sandbox, "/health/live", home / "sandbox.log")
                _wait_for(ports.api, "/health/ready", home / "api.log")
                yield Surroundings(home, cores, postgres, production, Server(ports.api, api))


def _run(name: str, arguments: tuple[str, ...], environment: Mapping[str, str], home: Path) -> None:
    log = home / f"{name}.log"
    with log.open("wb") as output:
        command = (sys.executable, "-m", "app.cli", *arguments)
        done = subprocess.run(command, env=environment, cwd=home, stdout=output, stderr=output, check=False)  # noqa: S603  # our own command
    if done.returncode != 0:
        raise CannotMeasure(f"`shop {name}` failed:\n{last_lines(log)}")


@contextmanager
def _running(
    name: str, command: tuple[str, ...], environment: Mapping[str, str], home: Path, core: int
) -> Iterator[int]:
    """The process, from its first instruction on that core; stopped at the end."""
    with (home / f"{name}.log").open("wb") as output, on_core(core):
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
        yield process.pid
    finally:
        stop_server(process, (SIGTERM, 10))


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Start child processes inside this block: they stay on the core. Without effect outside Linux."""
    before = _affinity()
    _pin({core})
    try:
        yield
    finally:
        _pin(before)


def _affinity() -> set[int]:
    return os.sched_getaffinity(0) if sys.platform == "linux" else set(range(os.cpu_count() or 1))


def _pin(cores: set[int]) -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(0, cores)


def _wait_for(port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(port, path):
        if time.monotonic() > deadline:
            raise CannotMeasure(f"{log.stem} did not answer:\n{last_lines(log)}")
        time.sleep(POLL_INTERVAL_S)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < http.HTTPStatus.BAD_REQUEST
    except OSError:
        return False
    finally:
        connection.close()
