"""Customers who come at a steady pace, whatever happens, and do not go before they know what became of their order.

Each is somebody new: with an e-mail address to count orders and mails by, and a network address with rate limits of
its own. What is not answered, or answered with "later", is asked again at the other API process, with the same
Idempotency-Key.
"""

import asyncio
import random
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self
from uuid import uuid4

import httpx

from scripts.chaos.figures import Figures

API = "/api/v1"
DOMAIN = "chaos.example.com"
ADDRESS = {
    "full_name": "Cora Chaos",
    "line1": "Lindenstraße 1",
    "city": "Berlin",
    "postal_code": "10969",
    "country": "DE",
}
SIGN_IN_EVERY = 5  # customers: a password costs more than all the rest of a visit
ACCOUNT = {"username": "customer@example.com", "password": "emporium-demo"}  # public on purpose
AN_ANSWER = 30.0  # seconds; longer than a request may take, so that whoever hangs is seen to
A_VISIT = 60.0  # seconds until a customer gives up
PAUSE = 0.05
LATER = {"request_in_progress", "checkout_in_progress", "too_many_requests"}
_AT_ONCE = struct.pack("ii", 1, 0)
_networks = count(1)


class GaveUp(Exception):
    """No definite answer in a whole visit."""


class Refused(Exception):
    """A definite answer that ends the visit. It is counted already."""


@dataclass(frozen=True)
class Doors:
    """The API processes, each with a client, and what can be bought."""

    clients: Sequence[httpx.AsyncClient]
    variants: Sequence[str]

    @classmethod
    def of(cls, urls: Sequence[str], variants: Sequence[str]) -> Self:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        clients = [httpx.AsyncClient(base_url=url, timeout=AN_ANSWER, limits=limits, trust_env=False) for url in urls]
        return cls(clients, variants)

    async def close(self) -> None:
        await asyncio.gather(*(client.aclose() for client in self.clients))


@dataclass
class Customer:
    """One visit. An `impatient` customer hangs up on each write once, and then asks what became of it."""

    doors: Doors
    figures: Figures
    impatient: bool = False
    scouts_at: int | None = None
    """The one API process of a scout, who wants to know when it works again: the others wait as long as they are told
    to, and go to either."""
    email: str = field(default_factory=lambda: f"{uuid4().hex}@{DOMAIN}")

    def __post_init__(self) -> None:
        number = next(_networks)
        self._from = {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
        self._signs_in = number % SIGN_IN_EVERY == 0 and self.scouts_at is None
        self._door = number if self.scouts_at is None else self.scouts_at
        self._gives_up_at = time.monotonic() + A_VISIT

    async def visit(self) -> bool:
        """Look around and buy something; whether it was paid for. Whatever goes wrong is in the figures."""
        try:
            await self._browse()
            cart = await self._fill_cart()
            order = await self._check_out(cart)
            await self._pay(order)
        except Refused:
            return False
        except GaveUp as step:
            self.figures.given_up[str(step)] += 1
            return False
        return True

    async def _browse(self) -> None:
        listed = await self._ask("list", "GET", "/products", params={"limit": 5})
        await self._ask("page", "GET", f"/products/{random.choice(listed['data'])['id']}")  # noqa: S311 - no secret
        if self._signs_in:
            await self._ask("sign-in", "POST", "/auth/token", data=ACCOUNT)

    async def _fill_cart(self) -> dict[str, str]:
        """The header that opens the cart."""
        opened = await self._ask("cart", "POST", "/cart", expected=201)
        cart = {"X-Cart-Token": opened["token"]}
        for variant in random.sample(self.doors.variants, 2):
            line = {"variant_id": variant, "quantity": 1}
            await self._ask("cart", "POST", "/cart/lines", expected=201, json=line, headers=cart | _key())
        return cart

    async def _check_out(self, cart: dict[str, str]) -> dict[str, Any]:
        body = {"email": self.email, "shipping_address": ADDRESS}
        order = await self._ask("order", "POST", "/orders", expected=201, json=body, headers=cart | _key())
        self.figures.told.of_order(self.email, order["id"])
        return order

    async def _pay(self, order: dict[str, Any]) -> None:
        body, owner = {"payment_method": "pm_card_visa"}, {"X-Order-Token": order["order_token"]}
        paid = await self._ask(
            "pay", "POST", f"/orders/{order['id']}/payments", expected=201, json=body, headers=owner | _key()
        )
        self.figures.told.of_order(self.email, paid["order"]["id"])
        self.figures.told.paid.add(self.email)

    async def _ask(
        self,
        step: str,
        method: str,
        path: str,
        *,
        expected: int = 200,
        headers: dict[str, str] | None = None,
        **what: Any,
    ) -> dict[str, Any]:
        """The answer, after as many tries as it takes.

        Raises:
            Refused: it is a refusal.
            GaveUp: there is none.
        """
        headers = self._from | (headers or {})
        if self.impatient and method == "POST":
            await self._hang_up(method, path, headers, what)
        while time.monotonic() < self._gives_up_at:
            response = await self._ask_once(step, method, path, headers, what)
            if response is not None and response.status_code == expected:
                return _content(response)
            if response is not None and not _means_later(response):
                self.figures.refused(step, response)
                raise Refused
            await asyncio.sleep(PAUSE if response is None or self.scouts_at is not None else _told_to_wait(response))
        raise GaveUp(step)

    async def _ask_once(
        self, step: str, method: str, path: str, headers: dict[str, str], what: dict[str, Any]
    ) -> httpx.Response | None:
        """One try; None when the connection broke."""
        client = self._next_door()
        began = time.monotonic()
        try:
            response = await client.request(method, API + path, headers=headers, **what)
        except httpx.TransportError:
            self.figures.cut += 1
            return None
        finally:
            self.figures.waited(step, time.monotonic() - began)
        self.figures.answered(step, response)
        return response

    async def _hang_up(self, method: str, path: str, headers: dict[str, str], what: dict[str, Any]) -> None:
        """Send the request whole, and be gone before the answer."""
        client = self._next_door()
        request = client.build_request(method, API + path, headers=headers, **what)
        head = f"{method} {request.url.raw_path.decode()} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        try:
            _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        except OSError:
            self.figures.cut += 1
            return
        writer.write(head.encode() + b"\r\n" + request.content)
        await writer.drain()
        await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311 - anywhere within what it takes
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        writer.transport.abort()
        self.figures.sent += 1
        self.figures.cut += 1

    def _next_door(self) -> httpx.AsyncClient:
        if self.scouts_at is None:
            self._door += 1
        return self.doors.clients[self._door % len(self.doors.clients)]


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def _content(response: httpx.Response) -> dict[str, Any]:
    content: dict[str, Any] = response.json()
    token = response.headers.get("X-Cart-Token")
    return content | ({"token": token} if token else {})


def _told_to_wait(response: httpx.Response) -> float:
    """Seconds."""
    return float(response.headers.get("retry-after", PAUSE))


def _means_later(response: httpx.Response) -> bool:
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return True
    return response.headers.get("content-type") == "application/problem+json" and response.json()["code"] in LATER
