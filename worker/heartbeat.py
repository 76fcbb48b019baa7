"""Signs of life for processes that listen on no port.

The worker, the scheduler and the relay call `beat()` from the very loop that does their work, so that a loop
which hangs goes quiet. `python -m worker.heartbeat` is the healthcheck: it looks at a file and costs 30 ms,
where `celery inspect ping` starts a second Celery for every check.
"""

import os
import sys
import time
from pathlib import Path
from typing import Final

INTERVAL: Final = 5.0
"""Seconds between two beats, at most."""

MAX_AGE: Final = 30.0
"""Seconds of silence after which a process counts as dead: six missed beats."""


def beat() -> None:
    """Record that the calling process is alive, if it runs under a supervisor that set `HEARTBEAT_FILE`."""
    path = os.environ.get("HEARTBEAT_FILE")
    if path:
        Path(path).touch()


def check(path: Path) -> str | None:
    """Say what is wrong with the process that beats into this file, or nothing."""
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return f"{path}: no heartbeat yet"
    return None if age < MAX_AGE else f"{path}: the last heartbeat was {age:.0f} s ago"


def main() -> int:
    path = os.environ.get("HEARTBEAT_FILE")
    problem = check(Path(path)) if path else "HEARTBEAT_FILE is not set"
    if problem:
        sys.stderr.write(f"{problem}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
