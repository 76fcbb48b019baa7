"""`shop dev` as a newcomer meets it: it opens, survives accidents, closes without a trace, and opens again soon."""

import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from app.dev.surroundings import Ports
from tests.support.dev_shop import free_ports, opening

SECOND_START_S = 15.0  # what the README promises


@pytest.fixture
def ports() -> Ports:
    return free_ports()


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
