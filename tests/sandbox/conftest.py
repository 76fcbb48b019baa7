"""A sandbox that really runs, and clients for it."""

from collections.abc import AsyncIterator

import httpx
import pytest
import stripe
from starlette.applications import Starlette
from starlette.routing import Route

from tests.sandbox.surroundings import Connect, Receiver, Running, Surroundings, free_port, running_sandbox, serving


@pytest.fixture(scope="session")
async def shared_sandbox() -> AsyncIterator[Running]:
    async with running_sandbox(webhook_url=None) as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(shared_sandbox: Running) -> Running:
    """A sandbox without mails or faults of earlier tests."""
    async with httpx.AsyncClient(base_url=shared_sandbox.url, trust_env=False) as client:
        await client.delete("/faults")
        await client.delete("/mailbox/messages")
    return shared_sandbox


@pytest.fixture
async def surroundings() -> AsyncIterator[Surroundings]:
    """A sandbox that tells a shop of its own what happens, and that shop."""
    receiver, shop_port = Receiver(), free_port()
    shop = Starlette(routes=[Route("/webhooks", receiver.receive, methods=["POST"])])
    async with (
        serving(shop, shop_port),
        running_sandbox(f"http://127.0.0.1:{shop_port}/webhooks") as sandbox,
    ):
        yield Surroundings(sandbox, receiver)


@pytest.fixture
async def web(sandbox: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as client:
        yield client


@pytest.fixture
async def raw(sandbox: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Stripe's API without its library, for requests that the library would not send."""
    async with httpx.AsyncClient(base_url=sandbox.url, auth=("sk_test_raw", ""), trust_env=False) as client:
        yield client


@pytest.fixture
async def connect(sandbox: Running) -> AsyncIterator[Connect]:
    """Stripe's official client, without retries unless a test asks for them."""
    transports: list[stripe.HTTPXClient] = []

    def client(*, timeout: float = 5, retries: int = 0) -> stripe.StripeClient:
        transport = stripe.HTTPXClient(timeout=timeout)
        transports.append(transport)
        return stripe.StripeClient(
            "sk_test_123", base_addresses={"api": sandbox.url}, http_client=transport, max_network_retries=retries
        )

    yield client
    for transport in transports:
        await transport.close_async()  # type: ignore[no-untyped-call]  # stripe left it without annotations


@pytest.fixture
async def payments(connect: Connect) -> stripe.StripeClient:
    return connect()
