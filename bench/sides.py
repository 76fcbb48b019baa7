"""The two sides of a scenario: each measures itself for a number of seconds."""

import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from app.dev.embedded import RunningPostgres
from app.dev.embedded.postgres import SUPERUSER
from app.dev.surroundings import DATABASE
from bench.comparison import Measured
from bench.load import LoadFailed, Plan, generate_on
from bench.processes import Cores, Server, on_core

PGBENCH_JOBS = 2
HEAD_START_S = 0.5
LONGEST_S = 3600.0
_TPS = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)$", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: ([0-9]+) ", re.MULTILINE)


class Side(Protocol):
    def measure(self, seconds: float) -> Measured: ...


@dataclass(frozen=True, slots=True)
class HttpSide:
    """Requests in turns over a number of connections to one server process.

    With `fresh`, every measurement has requests of its own, each sent once: `fresh(seconds)` makes enough of them.
    With `limit`, so many requests are sent, however long that takes.
    """

    server: Server
    cores: Cores
    connections: int
    requests: Sequence[str] = ()
    expected: int = 200
    limit: int | None = None
    fresh: Callable[[float], Sequence[str]] | None = field(default=None, compare=False)

    def measure(self, seconds: float) -> Measured:
        requests = list(self.fresh(seconds) if self.fresh else self.requests)
        limit = len(requests) if self.fresh else self.limit
        seconds = LONGEST_S if self.limit else seconds
        process = psutil.Process(self.server.pid)
        plan = Plan(self.server.port, self.connections, seconds, self.expected, requests, limit)
        before = process.cpu_times()
        outcome = generate_on(self.cores.generator, plan)
        after = process.cpu_times()
        if outcome.failed > outcome.completed:
            raise LoadFailed(f"most answers were not {self.expected} but like this:\n{outcome.failure}")
        used = after.user + after.system - before.user - before.system
        return Measured(
            rate=outcome.completed / outcome.seconds,
            cpu_us=used / outcome.answered * 1e6,
            p99_ms=outcome.p99_ms,
            rss_mb=process.memory_info().rss / 2**20,
            failed=outcome.failed,
            generator_load=outcome.generator_load,
        )


@dataclass(frozen=True, slots=True)
class BesideSide:
    """One load measured while another one runs, on the same server. What a request costs can no longer be told."""

    measured: HttpSide
    beside: HttpSide

    def measure(self, seconds: float) -> Measured:
        with ThreadPoolExecutor(1) as thread:
            other = thread.submit(self.beside.measure, seconds + 2 * HEAD_START_S)
            time.sleep(HEAD_START_S)
            measured = self.measured.measure(seconds)
            failed = measured.failed + other.result().failed
        return Measured(rate=measured.rate, p99_ms=measured.p99_ms, failed=failed)


@dataclass(frozen=True, slots=True)
class PgbenchSide:
    """pgbench with prepared statements, free to use every core.

    `variables(seconds)` prepares what a measurement of that length needs, unmeasured, and says how pgbench finds it.
    """

    postgres: RunningPostgres
    script: Path
    connections: int
    variables: Callable[[float], Mapping[str, int]] = field(compare=False)

    def measure(self, seconds: float) -> Measured:
        jobs = min(self.connections, PGBENCH_JOBS)
        length = (f"--client={self.connections}", f"--jobs={jobs}", f"--time={math.ceil(seconds)}")
        return Measured(rate=transactions_per_second(self.run(self.variables(seconds), *length)))

    def run(self, variables: Mapping[str, int], *options: str) -> str:
        """What pgbench reports.

        Raises:
            LoadFailed: it did not run to its end.
        """
        definitions = [f"--define={name}={value}" for name, value in variables.items()]
        pgbench = str(self.postgres.programs / "pgbench")
        done: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603  # a fixed program
            [
                *(pgbench, "--no-vacuum", "--protocol=prepared", f"--file={self.script}"),
                *(*options, *definitions, DATABASE),
            ],
            env={
                **os.environ,
                "PGHOST": self.postgres.host,
                "PGPORT": str(self.postgres.port),
                "PGUSER": SUPERUSER,
                "PGPASSWORD": self.postgres.password,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise LoadFailed(done.stderr)
        return done.stdout


@dataclass(frozen=True, slots=True)
class HashingSide:
    """The password hasher alone, on the core of the service."""

    cores: Cores

    def measure(self, seconds: float) -> Measured:
        with on_core(self.cores.server):
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
