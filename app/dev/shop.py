"""`shop dev`: the whole shop on one machine, in the order in which its parts need each other."""

import asyncio
import http.client
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from app.dev import terminal
from app.dev.embedded import (
    EmbeddedServerError,
    PostgresServer,
    RunningPostgres,
    RunningValkey,
    ValkeyServer,
)
from app.dev.supervisor import Program, ProgramFailed, Supervisor
from app.dev.surroundings import DATABASE, CannotStart, Ports, check_ports, environment_of, occupied

READY_TIMEOUT_S = 90.0
POLL_INTERVAL_S = 0.1


def open_for_business(home: Path, ports: Ports) -> int:
    """Run the shop until Ctrl-C or SIGTERM, and return the exit code: 0, or 1 when it could not run."""
    # Before the event loop takes over, SIGTERM ends things as Ctrl-C does: through the `with` blocks.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            home = stack.enter_context(occupied(home))
            check_ports(ports)
            terminal.say(f"starting; data and logs are in {home}")
            postgres = stack.enter_context(PostgresServer(home / "postgres").running())
            valkey = stack.enter_context(ValkeyServer(home / "valkey").running())
            postgres.create_database(DATABASE)
            environment = environment_of(home, ports, postgres, valkey, os.environ)
            asyncio.run(_trade(home, ports, environment, postgres, valkey, started))
    except (CannotStart, EmbeddedServerError, ProgramFailed) as error:
        terminal.refuse(str(error))
        return 1
    except KeyboardInterrupt:
        pass  # what was asked for
    terminal.say("closed")
    return 0


async def _trade(
    home: Path,
    ports: Ports,
    environment: dict[str, str],
    postgres: RunningPostgres,
    valkey: RunningValkey,
    started: float,
) -> None:
    """Start all programs, say where they are, and watch over them until a signal comes."""
    _cancel_on_signals()
    try:
        async with Supervisor(environment, home / "logs") as supervisor:
            await supervisor.keep(_python("sandbox", "magenta", "-m", "sandbox"))
            await supervisor.run(_python("migrate", "white", "-m", "app.cli", "migrate"))
            if postgres.run_sql("SELECT count(*) FROM (SELECT FROM users LIMIT 1) AS one", DATABASE) == "0":
                terminal.say("the database is empty: filling it with a demo shop")
                await supervisor.run(_python("seed", "white", "-m", "app.cli", "seed", chatty=True))
            await supervisor.keep(_python("api", "green", "-m", "app.cli", "serve", chatty=True, grace_s=25))
            await supervisor.opened(asyncio.create_task(_everything_answers(ports)))
            # After the API, which is being waited for: all three at once would share the processor.
            await supervisor.keep(_python("relay", "cyan", "-m", "worker.relay"))
            celery = ("-m", "celery", "--app", "worker.celery_app", "worker", "--concurrency", "2", "--beat")
            schedule = ("--scheduler", "worker.scheduler:HeartbeatScheduler")
            await supervisor.keep(_python("worker", "blue", *celery, *schedule))
            terminal.banner(ports, time.monotonic() - started)
            await _watch(postgres, valkey)
    except asyncio.CancelledError:
        pass  # a signal: all children have been stopped


def _python(name: str, colour: str, *arguments: str, chatty: bool = False, grace_s: float = 10) -> Program:
    return Program(name, (sys.executable, *arguments), colour, chatty, grace_s)


def _cancel_on_signals() -> None:
    task = cast("asyncio.Task[None]", asyncio.current_task())

    def stop() -> None:
        terminal.say("closing")
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def _everything_answers(ports: Ports) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    for port, path in ((ports.sandbox, "/health/live"), (ports.api, "/health/ready")):
        while not await asyncio.to_thread(_answers, port, path):
            if time.monotonic() > deadline:
                raise ProgramFailed(f"http://127.0.0.1:{port}{path} did not answer within {READY_TIMEOUT_S:.0f} s.")
            await asyncio.sleep(POLL_INTERVAL_S)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def _watch(postgres: RunningPostgres, valkey: RunningValkey) -> None:
    """Return never; the shop cannot go on without its database or cache.

    Raises:
        EmbeddedServerError: one of them has ended.
    """
    while True:
        for name, server in (("PostgreSQL", postgres), ("Valkey", valkey)):
            if server.process.poll() is not None:
                raise EmbeddedServerError(
                    f"{name} has ended unexpectedly (exit code {server.process.returncode}). "
                    "Start the shop again: it repairs what it finds."
                )
        await asyncio.sleep(1)
