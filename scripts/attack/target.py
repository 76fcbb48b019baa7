"""The shop under attack, and how an ordinary customer uses it."""

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

API = "/api/v1"
DEMO_PASSWORD = "emporium-demo"  # noqa: S105 - of the demo accounts, development only
SILENCE = 15.0  # seconds without an answer on a raw connection, after which it counts as held open

Json = dict[str, Any]


class CannotAttack(RuntimeError):
    """The shop lacks what an attempt needs. The message says what."""


@dataclass
class Target:
    """`url` is attacked; `limited` are further processes of the same shop, whose rate limits are on.

    Without a `sandbox_url` no mail can be read, and what needs one is left out.
    """

    url: str
    limited: tuple[str, ...]
    sandbox_url: str | None
    client: httpx.AsyncClient
    document: Json
    _accounts: dict[str, dict[str, str]] = field(default_factory=dict)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.client.request(method, path, **options)

    async def sign_in(self, email: str, password: str = DEMO_PASSWORD) -> httpx.Response:
        return await self.client.post(f"{API}/auth/token", data={"username": email, "password": password})

    async def tokens(self, email: str, password: str = DEMO_PASSWORD) -> Json:
        response = await self.sign_in(email, password)
        if response.status_code != 200:
            raise CannotAttack(
                f"{email} cannot sign in ({response.status_code}): is this a demo shop, RATE_LIMIT_ENABLED=false?"
            )
        tokens: Json = response.json()
        return tokens

    async def as_(self, role: str) -> dict[str, str]:
        """The Authorization header of a demo account, `customer` or one of the staff."""
        if role not in self._accounts:
            tokens = await self.tokens(f"{role}@example.com")
            self._accounts[role] = {"Authorization": f"Bearer {tokens['access_token']}"}
        return self._accounts[role]

    async def variant(self) -> str:
        """The id of something that can be bought."""
        cards = (await self.client.get(f"{API}/products", params={"in_stock": "true", "limit": 1})).json()["data"]
        if not cards:
            raise CannotAttack("nothing is for sale: is this a demo shop?")
        product = (await self.client.get(f"{API}/products/{cards[0]['id']}")).json()
        return str(next(variant["id"] for variant in product["variants"] if variant["available"]))

    async def order_of(self, headers: dict[str, str]) -> Json:
        """A new order of somebody who is signed in."""
        line = {"variant_id": await self.variant(), "quantity": 1}
        (await self.client.post(f"{API}/cart/lines", json=line, headers=headers)).raise_for_status()
        body = {"shipping_address": ADDRESS}
        keyed = headers | {"Idempotency-Key": str(uuid4())}
        placed = await self.client.post(f"{API}/orders", json=body, headers=keyed)
        placed.raise_for_status()
        order: Json = placed.json()
        return order

    async def mailed(self, address: str, pattern: str, *, besides: str | None = None) -> str | None:
        """What the pattern finds in the newest mail to the address that has it, within some seconds."""
        if self.sandbox_url is None:
            return None
        async with httpx.AsyncClient(base_url=self.sandbox_url, timeout=10) as sandbox:
            for _ in range(100):
                mails = (await sandbox.get("/mailbox/messages", params={"to": address})).json()["data"]
                found = next((match[1] for mail in mails if (match := re.search(pattern, mail["text"]))), None)
                if found and found != besides:
                    return found
                await asyncio.sleep(0.2)
        return None

    async def new_customer(self) -> Json:
        """Somebody who has registered, confirmed the address and signed in."""
        account = {"email": f"eve.{uuid4().hex[:12]}@example.com", "password": f"a passphrase {uuid4().hex}"}
        body = account | {"full_name": "Eve Eden"}
        (await self.client.post(f"{API}/auth/register", json=body)).raise_for_status()
        token = await self.mailed(account["email"], r"token=([\w-]+)")
        if token is None:
            raise CannotAttack("the confirmation mail does not arrive: SANDBOX_URL, relay and worker are needed")
        (await self.client.post(f"{API}/auth/verify-email", json={"token": token})).raise_for_status()
        return account | await self.tokens(account["email"], account["password"])

    async def raw(self, data: bytes, url: str | None = None) -> bytes:
        """All that comes back for these bytes until the server closes, or is silent for a while."""
        at = urlsplit(url or self.url)
        tls = ssl.create_default_context() if at.scheme == "https" else None
        reader, writer = await asyncio.open_connection(at.hostname, at.port, ssl=tls)
        heard = b""
        try:
            writer.write(data)
            await writer.drain()
            async with asyncio.timeout(SILENCE):
                while piece := await reader.read(65536):
                    heard += piece
        except (TimeoutError, ConnectionError):
            pass  # what was heard so far is the answer
        finally:
            writer.close()
        return heard

    def operations(self) -> list[tuple[str, str, Json]]:
        """Method, path and description of all that the OpenAPI document names."""
        return [
            (method.upper(), path, described)
            for path, methods in self.document["paths"].items()
            for method, described in methods.items()
        ]

    def has(self, method: str, path: str) -> bool:
        return method.lower() in self.document["paths"].get(path, {})


ADDRESS = {
    "full_name": "Eve Eden",
    "line1": "Lindenstraße 1",
    "city": "Berlin",
    "postal_code": "10969",
    "country": "DE",
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def statuses(heard: bytes) -> str:
    """The status codes in what a raw connection said, or that it said nothing."""
    found = re.findall(rb"HTTP/1\.[01] (\d{3})", heard)
    return "+".join(code.decode() for code in found) or "closed"
