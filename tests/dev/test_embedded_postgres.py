"""The embedded PostgreSQL: it keeps its data, ends with its starter, and repairs what a crash left behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.dev.embedded import EmbeddedServerError, PostgresServer, RunningPostgres


@pytest.fixture
def home(walkable: Path) -> Path:
    return walkable / "postgres"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with PostgresServer.temporary() as server:
        yield server


def test_the_server_is_set_up_for_the_shop(server: RunningPostgres) -> None:
    assert server.run_sql("SHOW server_version").startswith("18.")
    assert server.run_sql("SHOW shared_preload_libraries") == "pg_stat_statements"
    assert server.run_sql("SHOW max_connections") == "200"
    assert server.run_sql("SHOW fsync") == "off"
    assert server.run_sql("SHOW server_encoding") == "UTF8"
    assert server.run_sql("SELECT lower('ÄÖÜ')") == "äöü"


def test_creating_a_database_twice_keeps_it(server: RunningPostgres) -> None:
    url = server.create_database("twice")
    server.run_sql("CREATE TABLE kept ()", "twice")

    assert server.create_database("twice") == url
    assert server.run_sql("SELECT to_regclass('kept')", "twice") == "kept"


def test_a_refused_statement_says_why(server: RunningPostgres) -> None:
    with pytest.raises(EmbeddedServerError, match='relation "nowhere" does not exist'):
        server.run_sql("SELECT * FROM nowhere")


def test_nobody_gets_in_without_the_password(server: RunningPostgres) -> None:
    stranger = RunningPostgres(server.host, server.port, "guess", server.process, server.programs)

    with pytest.raises(EmbeddedServerError, match="password authentication failed"):
        stranger.run_sql("SELECT 1")


def test_data_survive_a_restart_and_the_durable_settings_are_on(home: Path) -> None:
    with PostgresServer(home).running() as server:
        server.run_sql("CREATE TABLE kept AS SELECT 42 AS answer")
        assert server.run_sql("SHOW fsync") == "on"
        assert server.run_sql("SHOW synchronous_commit") == "on"

    assert not psutil.pid_exists(server.process.pid)
    with PostgresServer(home).running() as server:
        assert server.run_sql("SELECT answer FROM kept") == "42"


def test_a_killed_server_is_repaired_at_the_next_start(home: Path) -> None:
    with PostgresServer(home).running() as server:
        server.run_sql("CREATE TABLE kept AS SELECT 42 AS answer")
        server.process.kill()
        server.process.wait()
        assert (home.resolve() / "data" / "postmaster.pid").exists()

    with PostgresServer(home).running() as server:
        assert server.run_sql("SELECT answer FROM kept") == "42"


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(home: Path) -> None:
    with PostgresServer(home, fast=True).running():
        pass
    (home.resolve() / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")

    with PostgresServer(home, fast=True).running() as server:
        assert server.run_sql("SELECT 1") == "1"


def test_an_interrupted_initdb_starts_over(home: Path) -> None:
    (home / "data.new").mkdir(parents=True)
    (home / "data.new" / "PG_VERSION").write_text("18\n")

    with PostgresServer(home, fast=True).running() as server:
        assert server.run_sql("SELECT 1") == "1"


STARTER = """
import sys
from pathlib import Path
from app.dev.embedded import PostgresServer
with PostgresServer(Path(sys.argv[1]), fast=True).running() as server:
    print(server.process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_the_server_ends_when_its_starter_is_killed(home: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(home)]
    with subprocess.Popen(  # noqa: S603  # our own interpreter
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        family = [server, *server.children(recursive=True)]

        starter.kill()
        starter.wait()

    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads another process' working directory")
def test_a_server_still_running_on_the_data_is_stopped_first(home: Path) -> None:
    server = PostgresServer(home, fast=True)
    with server.running() as first, server.running() as second:
        assert second.run_sql("SELECT 1") == "1"
        assert first.process.wait(20) == 0


def test_a_home_below_a_closed_directory_works(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.dev.embedded.refuge.REFUGE", home.parent / "refuge")
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)

    for _ in range(2):
        with PostgresServer(closed / "postgres", fast=True).running() as server:
            server.run_sql("CREATE TABLE IF NOT EXISTS kept ()")
            assert server.run_sql("SELECT to_regclass('kept')") == "kept"

    assert closed.stat().st_mode & 0o777 == 0o700
    # Root's server cannot enter; anybody else's can.
    assert (closed / "postgres").is_symlink() == (os.geteuid() == 0)


def test_another_version_is_refused_and_left_alone(home: Path) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedServerError, match=r"made by PostgreSQL 17; this is PostgreSQL 18"):
        PostgresServer(home).running().__enter__()

    assert [path.name for path in (home / "data").iterdir()] == ["PG_VERSION"]


def test_a_directory_that_is_no_cluster_is_refused(home: Path) -> None:
    (home / "data").mkdir(parents=True)

    with pytest.raises(EmbeddedServerError, match="not a PostgreSQL data directory"):
        PostgresServer(home).running().__enter__()
