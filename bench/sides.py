"""The two sides of a scenario: each measures itself for a number of seconds."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from app.dev.embedded.postgres import SUPERUSER
from app.dev.surroundings import DATABASE
from bench.comparison import Measured
from bench.load import LoadFailed, Plan, generate_on
from bench.surroundings import Server, Surroundings, on_core

_TPS = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)$", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: ([0-9]+) ", re.MULTILINE)


class Side(Protocol):
    def measure(self, seconds: int) -> Measured: ...


@dataclass(frozen=True, slots=True)
class HttpSide:
    """Requests in turns over a number of connections to one server process."""

    server: Server
    generator_core: int
    connections: int
    requests: list[str]
    expected: int = 200

    def measure(self, seconds: int) -> Measured:
        process = psutil.Process(self.server.pid)
        plan = Plan(self.server.port, self.connections, seconds, self.expected, self.requests)
        before = process.cpu_times()
        outcome = generate_on(self.generator_core, plan)
        after = process.cpu_times()
        if outcome.failed > outcome.completed:
            raise LoadFailed(f"most answers were not {self.expected} but like this:\n{outcome.failure}")
        used = after.user + after.system - before.user - before.system
        return Measured(
            rate=outcome.completed / outcome.seconds,
            cpu_us=used / outcome.answered * 1e6,
            failed=outcome.failed,
            generator_load=outcome.generator_load,
        )


@dataclass(frozen=True, slots=True)
class PgbenchSide:
    """pgbench with prepared statements, free to use every core."""

    surroundings: Surroundings
    script: Path
    connections: int

    def measure(self, seconds: int) -> Measured:
        postgres = self.surroundings.postgres
        options = ("--no-vacuum", "--protocol=prepared", f"--client={self.connections}", "--jobs=2")
        done = subprocess.run(  # noqa: S603  # a fixed program
            [postgres.programs / "pgbench", *options, f"--time={seconds}", f"--file={self.script}", DATABASE],
            env={
                **os.environ,
                "PGHOST": postgres.host,
                "PGPORT": str(postgres.port),
                "PGUSER": SUPERUSER,
                "PGPASSWORD": postgres.password,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise LoadFailed(done.stderr)
        return Measured(rate=transactions_per_second(done.stdout))


@dataclass(frozen=True, slots=True)
class HashingSide:
    """The password hasher alone, on the core of the service."""

    surroundings: Surroundings

    def measure(self, seconds: int) -> Measured:
        with on_core(self.surroundings.cores.server):
            done = subprocess.run(  # noqa: S603  # our own module
                [sys.executable, "-m", "bench.hashing", str(seconds)], capture_output=True, text=True, check=True
            )
        return Measured(rate=float(done.stdout))


def transactions_per_second(report: str) -> float:
    """What pgbench says at its end.

    Raises:
        LoadFailed: transactions failed, or this is no report.
    """
    tps, failed = _TPS.search(report), _FAILED.search(report)
    if tps is None or failed is None or int(failed[1]):
        raise LoadFailed(f"pgbench did not run clean:\n{report}")
    return float(tps[1])
