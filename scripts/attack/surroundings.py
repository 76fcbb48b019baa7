"""A shop to be attacked: everything it consists of, in a directory that is deleted afterwards."""

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

from app.core.signing_keys import new_pem
from app.dev.embedded import PostgresServer, ValkeyServer
from app.dev.embedded.processes import free_port, last_lines, stop_server, tethered
from app.dev.surroundings import DATABASE, Ports, environment_of
from scripts.attack.target import CannotAttack

ROOT = Path(__file__).parents[2]
INHERITED = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
STARTS_WITHIN = 90.0  # seconds
PRODUCTS, ORDERS = "30", "20"
CELERY = ("-m", "celery", "--app", "worker.celery_app", "worker", "--concurrency", "1")


@dataclass(frozen=True)
class RunningShop:
    """`url` has no rate limits, so that one address can try thousands of things; the `limited` ones have them."""

    url: str
    limited: tuple[str, ...]
    sandbox_url: str


@contextmanager
def running_shop() -> Iterator[RunningShop]:
    """PostgreSQL, Valkey, sandbox, relay, worker and three API processes, with the demo shop in them.

    Raises:
        CannotAttack: one of them did not start.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emporium-attack-")))
        postgres = stack.enter_context(PostgresServer.temporary())
        valkey = stack.enter_context(ValkeyServer(home / "valkey", fast=True).running())
        postgres.create_database(DATABASE)
        ports = Ports(api=free_port(), sandbox=free_port(), smtp=free_port())
        outer = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment = environment_of(home, ports, postgres, valkey, outer) | {
            "JWT_SIGNING_KEYS": new_pem(),  # as in production, where the public key is there for everybody
            "LOG_LEVEL": "WARNING",
            "LOG_FORMAT": "json",
            "RATE_LIMIT_ENABLED": "false",
            "PYTHONPATH": str(ROOT),
        }
        stack.enter_context(_running("sandbox", ("-m", "sandbox"), environment, home, ports.sandbox, "/health/live"))
        _to_the_end("migrate", ("migrate",), environment, home)
        _to_the_end("seed", ("seed", "--products", PRODUCTS, "--orders", ORDERS), environment, home)

        def api(name: str, port: int, **changes: str) -> str:
            serve = environment | {"SHOP_PORT": str(port), **changes}
            stack.enter_context(_running(name, ("-m", "app.cli", "serve"), serve, home, port, "/health/ready"))
            return f"http://localhost:{port}"

        open_, *limited = (
            api("api", ports.api),
            *(api(f"limited-{number}", free_port(), RATE_LIMIT_ENABLED="true") for number in (1, 2)),
        )
        stack.enter_context(_running("relay", ("-m", "worker.relay"), environment, home))
        stack.enter_context(_running("worker", CELERY, environment, home))
        yield RunningShop(open_, tuple(limited), f"http://127.0.0.1:{ports.sandbox}")


@contextmanager
def _running(
    name: str,
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    home: Path,
    port: int | None = None,
    ready: str = "",
) -> Iterator[None]:
    log = home / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            tethered((sys.executable, *arguments)),
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while port and not _answers(port, ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotAttack(f"{name} did not start:\n{last_lines(log)}")
            time.sleep(0.1)
        yield
    finally:
        stop_server(process, (SIGTERM, 10))


def _to_the_end(name: str, arguments: tuple[str, ...], environment: Mapping[str, str], home: Path) -> None:
    log = home / f"{name}.log"
    with log.open("wb") as output:
        command = (sys.executable, "-m", "app.cli", *arguments)
        done = subprocess.run(command, env=environment, cwd=home, stdout=output, stderr=output, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise CannotAttack(f"{name} failed:\n{last_lines(log)}")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
