"""An S3 server as a process of its own: it checks signatures, and keeps buckets as directories."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.dev.embedded.processes import free_port

STARTS_WITHIN = 20  # seconds
BUCKET = "pictures"


@dataclass(frozen=True)
class RunningS3:
    port: int
    buckets: Path
    process: "subprocess.Popen[bytes]"

    @property
    def environment(self) -> dict[str, str]:
        """Where clients look for the server and for what it knows them by."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "emporium",
            "AWS_SECRET_ACCESS_KEY": "for-tests-only",
        }


@contextmanager
def running_s3(home: Path) -> Iterator[RunningS3]:
    """Start the server with one bucket; its log is kept in `home`."""
    buckets, port = home / "buckets", free_port()
    (buckets / BUCKET).mkdir(parents=True)
    command = (
        *(str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(buckets)),
        *("--addr", f"127.0.0.1:{port}", "--auth-key", "emporium,for-tests-only"),
        *("--config", str(home / "rclone.conf"), "--cache-dir", str(home / "cache")),
    )
    with (home / "s3.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # from its wheel
    try:
        _wait(port, process)
        yield RunningS3(port, buckets, process)
    finally:
        process.kill()
        process.wait()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the S3 server did not start")
