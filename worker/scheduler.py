"""Celery beat's scheduler, as this service runs it."""

from typing import Any

from celery.beat import Scheduler

from worker.heartbeat import INTERVAL, beat


class HeartbeatScheduler(Scheduler):
    """Keeps the schedule in memory and shows that it is still ticking.

    Celery's default writes the times of the last runs to a file. Ours needs none: what must happen at a
    certain hour is a crontab entry, which follows the clock, and everything else repeats within the hour. So
    the process has no state to lose, and runs on a read-only file system.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        beat()
        return min(super().tick(*args, **kwargs), INTERVAL)
