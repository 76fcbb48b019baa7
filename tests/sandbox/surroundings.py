"""A sandbox that really runs, on free ports, and a shop's end of its webhooks."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import stripe
import uvicorn
from pydantic import AnyHttpUrl, SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from sandbox.app import create_app
from sandbox.settings import Settings

SECRET = "whsec_current"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving(app: ASGIApp, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                assert not task.done(), "the server did not start"
                await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task


@dataclass
class Receiver:
    """What the shop would see: verified by Stripe's own library before it counts."""

    refusals: int = 0
    attempts: int = 0
    events: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def receive(self, request: Request) -> Response:
        self.attempts += 1
        body = await request.body()
        stripe.Webhook.construct_event(body, request.headers["stripe-signature"], SECRET)
        if self.refusals:
            self.refusals -= 1
            return Response(status_code=503)
        self.events.put_nowait(json.loads(body))
        return Response()

    async def next(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(5):
            return [await self.events.get() for _ in range(count)]


@dataclass
class Running:
    url: str
    smtp_port: int


@asynccontextmanager
async def running_sandbox(webhook_url: str | None) -> AsyncIterator[Running]:
    port, smtp_port = free_port(), free_port()
    settings = Settings(
        sandbox_port=port,
        sandbox_smtp_port=smtp_port,
        sandbox_url=None,
        webhook_url=AnyHttpUrl(webhook_url) if webhook_url else None,
        stripe_webhook_secrets=[SecretStr(SECRET), SecretStr("whsec_previous")],
        webhook_backoff_seconds=0.001,
    )
    async with serving(create_app(settings), port):
        yield Running(f"http://127.0.0.1:{port}", smtp_port)


@dataclass
class Surroundings:
    sandbox: Running
    receiver: Receiver


class Connect(Protocol):
    def __call__(self, *, timeout: float = 5, retries: int = 0) -> stripe.StripeClient: ...
