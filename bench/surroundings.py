"""Everything that the bench measures, started for one run in a directory that is deleted afterwards."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from app.core.signing_keys import new_pem
from app.dev.embedded import PostgresServer, RunningPostgres, ValkeyServer
from app.dev.embedded.processes import free_port
from app.dev.surroundings import DATABASE, Ports, environment_of
from bench.processes import Cores, Server, run_to_the_end, serving
from bench.service import OBSERVABLE, WITHOUT_PROVIDER

INHERITED = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
UVICORN = ("--no-access-log", "--no-server-header", "--log-level", "warning")  # as the service runs it


class Surroundings:
    """A shop's database, and servers of several kinds that start when they are first asked for.

    All of them run on the same core. Those that are not measured at the moment wait for requests and cost nothing.
    """

    def __init__(
        self,
        home: Path,
        postgres: RunningPostgres,
        environment: Mapping[str, str],
        servers: ExitStack,
        *,
        observable: bool,
    ) -> None:
        self.home = home
        self.cores = Cores.of_this_machine()
        self.postgres = postgres
        self.bodies = home / "bodies"
        self.bodies.mkdir()
        self._environment = environment
        self._servers = servers
        self._changes = (OBSERVABLE,) if observable else ()

    @property
    def database_url(self) -> str:
        return self.postgres.url(DATABASE, "postgresql")

    @property
    def secret_key(self) -> str:
        return self._environment["SECRET_KEY"]

    @cached_property
    def api(self) -> Server:
        """The service as in production."""
        return self.serve("api")

    @cached_property
    def uncached_api(self) -> Server:
        """The service without its response cache."""
        return self.serve("uncached-api", RESPONSE_CACHE_SECONDS="0")

    @cached_property
    def api_without_provider(self) -> Server:
        """The service with a payment provider that answers at once, in its own process."""
        return self.serve("api-without-provider", WITHOUT_PROVIDER)

    @cached_property
    def floors(self) -> Server:
        """The bare ASGI application; floor a sends the files in `bodies`."""
        return self._uvicorn("floors", "bench.floors.app:Floors", "--interface", "asgi3")

    @cached_property
    def textbook(self) -> Server:
        """The same catalogue as a textbook writes it."""
        return self._uvicorn("textbook", "bench.textbook:create_app")

    def serve(self, name: str, *changes: str, **environment: str) -> Server:
        """One more process of the service."""
        port = free_port()
        command = (sys.executable, "-m", "bench.service", *self._changes, *changes)
        return self._start(name, command, {**environment, "SHOP_PORT": str(port)}, port, "/health/ready")

    def _uvicorn(self, name: str, application: str, *options: str) -> Server:
        port = free_port()
        command = (sys.executable, "-m", "uvicorn", application, "--factory", "--port", str(port), *UVICORN, *options)
        environment = {"FLOOR_BODIES": str(self.bodies), "FLOOR_DATABASE_URL": self.database_url}
        return self._start(name, command, environment, port, "/ready")

    def _start(self, name: str, command: tuple[str, ...], changed: Mapping[str, str], port: int, ready: str) -> Server:
        environment = {**self._environment, **changed}
        return self._servers.enter_context(
            serving(name, command, environment, self.home, self.cores.server, port, ready)
        )


@contextmanager
def surroundings(*, observable: bool = False) -> Iterator[Surroundings]:
    """PostgreSQL (durable, as in production), Valkey, and the smallest demo shop in them.

    `observable` lets a profiler look into the service.

    Raises:
        CannotMeasure: one of them did not start.
    """
    with tempfile.TemporaryDirectory(prefix="emporium-bench-") as directory:
        home = Path(directory)
        with PostgresServer.temporary(fast=False) as postgres, ValkeyServer(home / "valkey").running() as valkey:
            postgres.create_database(DATABASE)
            # No server stands at the ports of the sandbox: nothing that is measured calls it.
            ports = Ports(api=free_port(), sandbox=free_port(), smtp=free_port())
            outer = {name: os.environ[name] for name in INHERITED if name in os.environ}
            development = {
                **environment_of(home, ports, postgres, valkey, outer),
                "PYTHONPATH": str(Path(__file__).parent.parent),  # processes run in the directory of their logs
            }
            for name, arguments in {"migrate": ("migrate",), "seed": ("seed", "--orders", "0")}.items():
                command = (sys.executable, "-m", "app.cli", *arguments)
                run_to_the_end(name, command, development, home)  # production refuses demo data
            production = development | {
                "ENVIRONMENT": "production",
                "JWT_SIGNING_KEYS": new_pem(),
                "ENCRYPTION_KEYS": development["SECRET_KEY"],  # what the demo data was encrypted with
                "LOG_FORMAT": "json",
                "RATE_LIMIT_ENABLED": "false",  # all load comes from one address
                "ACCESS_TOKEN_MINUTES": "600",  # a run may take longer than a token lives
            }
            with ExitStack() as servers:
                yield Surroundings(home, postgres, production, servers, observable=observable)
