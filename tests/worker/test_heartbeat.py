"""The healthcheck of the processes that listen on no port."""

import os
import re
import sys
import time
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from worker.heartbeat import MAX_AGE, beat


async def healthcheck(heartbeat_file: Path | None) -> tuple[int | None, str]:
    """Run the healthcheck as a container engine does: its exit code, and what it says on stderr."""
    environment = {name: value for name, value in os.environ.items() if name != "HEARTBEAT_FILE"}
    if heartbeat_file:
        environment["HEARTBEAT_FILE"] = str(heartbeat_file)
    process = await create_subprocess_exec(sys.executable, "-m", "worker.heartbeat", env=environment, stderr=PIPE)
    _, complaint = await process.communicate()
    return process.returncode, complaint.decode()


async def test_a_process_that_beats_is_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTBEAT_FILE", str(tmp_path / "heartbeat"))

    beat()

    assert await healthcheck(tmp_path / "heartbeat") == (0, "")


async def test_a_process_that_went_quiet_is_not_until_it_beats_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat = tmp_path / "heartbeat"
    monkeypatch.setenv("HEARTBEAT_FILE", str(heartbeat))
    beat()
    last = time.time() - MAX_AGE - 1
    os.utime(heartbeat, (last, last))

    code, complaint = await healthcheck(heartbeat)

    assert code == 1
    assert re.fullmatch(rf"{heartbeat}: the last heartbeat was \d+ s ago\n", complaint)

    beat()
    assert await healthcheck(heartbeat) == (0, "")


async def test_a_process_that_has_not_begun_is_unhealthy(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"

    assert await healthcheck(heartbeat) == (1, f"{heartbeat}: no heartbeat yet\n")


async def test_the_check_needs_to_know_where_to_look() -> None:
    assert await healthcheck(None) == (1, "HEARTBEAT_FILE is not set\n")


def test_beating_without_a_supervisor_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEARTBEAT_FILE", raising=False)
    monkeypatch.chdir(tmp_path)

    beat()

    assert list(tmp_path.iterdir()) == []
