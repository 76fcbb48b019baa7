"""A shop to be broken: two API processes, worker, relay and sandbox on a PostgreSQL and a Valkey of their own.

Between them and what they depend on are lines that can be cut. Its time limits are shorter than usual, so that what
waits for one does not take all day; how long anybody waits for the database is as usual.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGQUIT
from typing import Any

from pydantic import SecretStr

from app.dev.embedded import PostgresServer, RunningPostgres, RunningValkey, ValkeyServer
from app.dev.embedded.processes import free_port
from app.dev.surroundings import DATABASE, Ports, environment_of
from app.settings import Settings
from scripts.chaos.background import Background, background
from scripts.chaos.line import Line
from scripts.chaos.programs import Program, run_to_the_end

ROOT = Path(__file__).parents[2]
INHERITED = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
PRODUCTS, ORDERS = "12", "0"
SERVE = ("app.cli", "serve")
CELERY = ("celery", "--app", "worker.celery_app", "worker", "--concurrency", "1")
MEDIA_SIZE = "32m"
LIMITS = {
    "REQUEST_TIMEOUT": "8",
    "PAYMENT_TIMEOUT": "2",
    "TASK_TIME_LIMIT": "8",
    "DATABASE_POOL_SIZE": "5",
    "FORWARDED_ALLOW_IPS": "127.0.0.1",  # each customer has an address of their own, and so their own rate limits
    "RATE_LIMIT_ENABLED": "true",
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "json",
}


class DatabaseServer:
    """A PostgreSQL that can crash and come back, on another port each time; the line to it knows which."""

    def __init__(self, home: Path) -> None:
        self._server = PostgresServer(home)  # durable: what was committed survives a crash
        self._stack = ExitStack()
        self.running = self._start()

    def _start(self) -> RunningPostgres:
        return self._stack.enter_context(self._server.running())

    def crash(self) -> None:
        """End at once, without a checkpoint; sessions are cut."""
        self.running.process.send_signal(SIGQUIT)
        self.running.process.wait()

    def recover(self) -> None:
        """Start again, and replay the log."""
        self._stack.close()
        self.running = self._start()

    def close(self) -> None:
        self._stack.close()


@dataclass(frozen=True)
class ChaosShop:
    home: Path
    background: Background
    environment: dict[str, str]
    settings: Settings
    database: DatabaseServer
    valkey: RunningValkey
    to_database: Line
    to_redis: Line
    to_provider: Line
    to_mail: Line
    apis: tuple[Program, Program]
    worker: Program
    relay: Program
    sandbox: Program
    media: Path
    media_is_small: bool
    """Whether the pictures have a file system of their own, which only root can give them."""

    def recover_database(self) -> None:
        self.database.recover()
        self.to_database.upstream = self.database.running.port

    def settings_past_the_line(self) -> Settings:
        """What leads to the database itself, wherever it is now."""
        url = SecretStr(self.database.running.url(DATABASE))
        return self.settings.model_copy(update={"database_url": url})


@contextmanager
def running_shop() -> Iterator[ChaosShop]:
    """Start all of it, with the demo shop in it.

    Raises:
        CannotGoOn: one of them did not start.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emporium-chaos-")))
        aside = stack.enter_context(background())
        cluster = Path(tempfile.mkdtemp(prefix="emporium-postgres-"))
        stack.callback(shutil.rmtree, cluster)
        database = DatabaseServer(cluster)
        stack.callback(database.close)
        valkey = stack.enter_context(ValkeyServer(home / "valkey", fast=True).running())
        database.running.create_database(DATABASE)
        ports = Ports(api=free_port(), sandbox=free_port(), smtp=free_port())

        def line(upstream: int) -> Line:
            made = Line(aside, upstream)
            stack.callback(made.close)
            return made

        to_database, to_redis = line(database.running.port), line(valkey.port)
        to_provider, to_mail = line(ports.sandbox), line(ports.smtp)
        media = home / "media"
        media_is_small = stack.enter_context(_small_file_system(media))
        outer = {name: os.environ[name] for name in INHERITED if name in os.environ}
        lines = (replace(database.running, port=to_database.port), replace(valkey, port=to_redis.port))
        environment = environment_of(home, ports, *lines, outer) | LIMITS
        environment |= {
            "STRIPE_API_BASE": f"http://127.0.0.1:{to_provider.port}",
            "SMTP_URL": f"smtp://127.0.0.1:{to_mail.port}",
            "PYTHONPATH": str(ROOT),
        }

        def program(name: str, module: tuple[str, ...], port: int | None = None, **changes: str) -> Program:
            started = Program(name, module, environment | changes, home, port)
            stack.callback(started.kill)
            return started

        sandbox = program("sandbox", ("sandbox",), ports.sandbox)
        run_to_the_end("migrate", ("migrate",), environment, home)
        run_to_the_end("seed", ("seed", "--products", PRODUCTS, "--orders", ORDERS), environment, home)
        first, second = (
            program(f"api-{number}", SERVE, port, SHOP_PORT=str(port))
            for number, port in enumerate((ports.api, free_port()), 1)
        )
        worker, relay = program("worker", CELERY), program("relay", ("worker.relay",))
        sandbox.wait_until_ready("/health/live")
        for api in (first, second):
            api.wait_until_ready()
        yield ChaosShop(
            home=home,
            background=aside,
            environment=environment,
            settings=_settings(environment),
            database=database,
            valkey=valkey,
            to_database=to_database,
            to_redis=to_redis,
            to_provider=to_provider,
            to_mail=to_mail,
            apis=(first, second),
            worker=worker,
            relay=relay,
            sandbox=sandbox,
            media=media,
            media_is_small=media_is_small,
        )


def _settings(environment: dict[str, str]) -> Settings:
    known: dict[str, Any] = {
        name.lower(): value for name, value in environment.items() if name.lower() in Settings.model_fields
    }
    return Settings(_env_file=None, **known)


@contextmanager
def _small_file_system(place: Path) -> Iterator[bool]:
    """A directory that can become full without anybody else's getting full; False where only root may make one."""
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    command = (mount or "mount", "-t", "tmpfs", "-o", f"size={MEDIA_SIZE}", "tmpfs", str(place))
    mounted = bool(
        mount
        and umount
        and os.geteuid() == 0
        and subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - fixed words
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run((umount or "umount", "--lazy", str(place)), check=True)  # noqa: S603 - fixed words
