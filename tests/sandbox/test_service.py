"""The sandbox as a process, and its pages."""

import asyncio
import os
import re
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from sandbox.settings import Settings

ROOT = Path(__file__).parents[2]


def free_ports() -> list[str]:
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
        return [str(probe.getsockname()[1]) for probe in (one, two)]


async def start(**environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_starts_from_the_environment_and_stops_when_told() -> None:
    port, smtp_port = free_ports()
    process = await start(SANDBOX_PORT=port, SANDBOX_SMTP_PORT=smtp_port)
    try:
        transport = httpx.AsyncHTTPTransport(retries=8)  # with backoff, until it listens
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client, asyncio.timeout(30):
            live = await client.get(f"http://127.0.0.1:{port}/health/live")
            _, smtp = await asyncio.open_connection("127.0.0.1", int(smtp_port))
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            await process.communicate()

    smtp.close()
    assert live.json() == {"status": "ok"}
    assert process.returncode in {0, -signal.SIGTERM}


async def test_bad_settings_are_explained() -> None:
    process = await start(WEBHOOK_URL="http://127.0.0.1:1/", SANDBOX_PORT="many")

    _, explanation = await process.communicate()

    assert process.returncode == 1
    assert b"sandbox_port" in explanation
    assert b"Traceback" not in explanation


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_new, whsec_old")
    monkeypatch.setenv("WEBHOOK_URL", "http://127.0.0.1:8000/api/v1/webhooks/payments/stripe")
    monkeypatch.setenv("SANDBOX_URL", "http://localhost:9001/")

    settings = Settings()

    assert [secret.get_secret_value() for secret in settings.stripe_webhook_secrets] == ["whsec_new", "whsec_old"]
    assert settings.public_url == "http://localhost:9001"
    assert Settings(sandbox_url=None, sandbox_host="0.0.0.0").public_url == "http://localhost:8001"  # noqa: S104 -- compared, not bound


def test_webhooks_without_a_secret_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRETS", raising=False)
    monkeypatch.setenv("WEBHOOK_URL", "http://127.0.0.1:8000/")

    with pytest.raises(ValidationError, match="STRIPE_WEBHOOK_SECRETS"):
        Settings()


@pytest.mark.parametrize("path", ["/", "/mailbox"])
async def test_pages_need_nothing_from_elsewhere(web: httpx.AsyncClient, path: str) -> None:
    page = await web.get(path)

    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assets = re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', page.text)
    assert assets
    for asset in assets:
        assert asset.startswith("/")
        assert (await web.get(asset)).status_code == 200


async def test_it_describes_itself(web: httpx.AsyncClient) -> None:
    paths = (await web.get("/openapi.json")).json()["paths"]

    assert set(paths) == {
        "/mailbox/messages",
        "/faults",
        "/authenticate/{intent_id}",
        "/health/live",
    }
