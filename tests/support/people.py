"""Steps of people who look after their account."""

from typing import Any

import httpx

from tests.support.shopping import ADDRESS, API

Json = dict[str, Any]
BOOK = f"{API}/users/me/addresses"
PHONE = "+49 30 901820"


async def keep(client: httpx.AsyncClient, person: dict[str, str], **changes: Any) -> Json:
    """Add an address to the person's book; returns it."""
    kept = await client.post(BOOK, json=ADDRESS | changes, headers=person)
    assert kept.status_code == 201, kept.text
    address: Json = kept.json()
    return address


async def book(client: httpx.AsyncClient, person: dict[str, str]) -> list[Json]:
    listed = await client.get(f"{BOOK}?limit=100", headers=person)
    assert listed.status_code == 200, listed.text
    addresses: list[Json] = listed.json()["data"]
    return addresses


def defaults(addresses: list[Json], kind: str) -> list[str]:
    """The ids of the addresses that are the default of the kind: at most one."""
    return [address["id"] for address in addresses if address[f"is_default_{kind}"]]
