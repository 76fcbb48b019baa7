"""The sandbox as a process of its own, on free ports."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from app.dev.embedded.processes import free_port

WEBHOOK_SECRET = "whsec_for_tests_only_of_a_decent_length"
STARTS_WITHIN = 60  # seconds


@dataclass(frozen=True)
class RunningSandbox:
    url: str
    smtp_url: str

    async def inject(self, target: str, mode: str, count: int, **options: int) -> None:
        """Have the next `count` uses of the target fail in this way."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            injected = await client.post("/faults", json={"target": target, "mode": mode, "count": count} | options)
            assert injected.status_code == 201, injected.text

    async def faults_to_come(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(base_url=self.url) as client:
            faults: list[dict[str, Any]] = (await client.get("/faults")).json()["data"]
            return faults

    async def clear(self) -> None:
        async with httpx.AsyncClient(base_url=self.url) as client:
            await client.delete("/faults")

    async def mails_to(self, address: str) -> list[dict[str, Any]]:
        """What arrived, newest first."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            mails: list[dict[str, Any]] = (await client.get("/mailbox/messages", params={"to": address})).json()["data"]
            return mails


@contextmanager
def running_sandbox(webhook_url: str = "") -> Iterator[RunningSandbox]:
    """Start the sandbox; with a `webhook_url` it tells a shop what happened to its payments."""
    http, smtp = free_port(), free_port()
    environment = os.environ | {
        "SANDBOX_HOST": "127.0.0.1",
        "SANDBOX_PORT": str(http),
        "SANDBOX_SMTP_PORT": str(smtp),
        "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "WEBHOOK_URL": webhook_url,
    }
    process = subprocess.Popen([sys.executable, "-m", "sandbox"], env=environment)
    try:
        wait_until_up(f"http://127.0.0.1:{http}/health/live", process)
        yield RunningSandbox(f"http://127.0.0.1:{http}", f"smtp://127.0.0.1:{smtp}")
    finally:
        process.terminate()
        process.wait(10)


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    """Poll until the address answers 200; fails when the process ends or takes too long."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer within {STARTS_WITHIN} s")
