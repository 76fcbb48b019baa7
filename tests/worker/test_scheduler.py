"""Celery beat's scheduler."""

from pathlib import Path

import pytest
from celery import Celery

from worker.heartbeat import INTERVAL
from worker.scheduler import HeartbeatScheduler


def test_an_idle_scheduler_still_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat = tmp_path / "heartbeat"
    monkeypatch.setenv("HEARTBEAT_FILE", str(heartbeat))
    monkeypatch.chdir(tmp_path)
    idle = Celery("idle", set_as_current=False)

    pause = HeartbeatScheduler(app=idle).tick()

    assert pause == INTERVAL
    assert list(tmp_path.iterdir()) == [heartbeat]
