"""A `shop dev` in a process of its own, as a newcomer starts it."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from app.dev.embedded.processes import free_port
from app.dev.surroundings import VARIABLES, Ports


def free_ports() -> Ports:
    return Ports(api=free_port(), sandbox=free_port(), smtp=free_port())


@contextmanager
def walkable_directory() -> Iterator[Path]:
    """A directory that every user can walk to, as `nobody` must where root runs PostgreSQL; pytest's own are closed."""
    directory = Path(tempfile.mkdtemp(prefix="emporium-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


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
