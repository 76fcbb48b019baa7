"""`shop dev` as a newcomer meets it: it opens, survives accidents, closes without a trace, and opens again soon."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from app.dev.embedded.processes import free_port
from app.dev.surroundings import VARIABLES, Ports

SECOND_START_S = 15.0  # what the README promises


class OpenShop:
    """A `shop dev` in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], ports: Ports) -> None:
        self.process, self.ports = process, ports
        self.said = ""

    def read_until(self, words: str) -> None:
        """Read its terminal until it has said these words, or has ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return
        pytest.fail(f"the shop ended without saying {words!r}:\n{self.said}")

    def status(self, port: int, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def family(self) -> list[psutil.Process]:
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def program(self, words: str) -> psutil.Process:
        """The direct child with these words on its command line."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if words in " ".join(child.cmdline()))


@contextmanager
def opening(home: Path, ports: Ports) -> Iterator[OpenShop]:
    variables = {VARIABLES[name]: str(port) for name, port in asdict(ports).items()}
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "dev"],
        env={**os.environ, **variables, "SHOP_HOME": str(home), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield OpenShop(process, ports)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()  # after an orderly end there is nothing left to kill


@pytest.fixture
def ports() -> Ports:
    return Ports(api=free_port(), sandbox=free_port(), smtp=free_port())


def test_it_opens_survives_an_accident_closes_and_opens_again(walkable: Path, ports: Ports) -> None:
    home = walkable / "shop"
    with opening(home, ports) as shop:
        shop.read_until("Emporium is open")
        assert "filling it with a demo shop" in shop.said
        assert shop.status(ports.api, "/health/ready") == 200
        assert shop.status(ports.sandbox, "/health/live") == 200

        shop.program("worker.relay").kill()
        shop.read_until("relay was ended by SIGKILL and starts again")

        family = shop.family()
        shop.process.send_signal(signal.SIGINT)
        shop.read_until("closed")
        assert shop.process.wait(30) == 0
        _, left = psutil.wait_procs(family, timeout=5)
        assert left == []

    started = time.monotonic()
    with opening(home, ports) as shop:
        shop.read_until("Emporium is open")
        assert time.monotonic() - started < SECOND_START_S
        assert "demo shop" not in shop.said


def test_a_taken_port_ends_it_at_once_with_a_reason(walkable: Path, ports: Ports) -> None:
    with socket.create_server(("127.0.0.1", ports.api)), opening(walkable / "shop", ports) as shop:
        shop.read_until(f"Port {ports.api} cannot be used")
        assert shop.process.wait(30) == 1
