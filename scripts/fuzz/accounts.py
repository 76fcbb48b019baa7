"""Accounts of the fuzzer's own: nobody knows their addresses, so that it does not lock itself out by guessing."""

import asyncio

import httpx

from scripts.attack.surroundings import RunningShop
from scripts.attack.target import API, Target, bearer
from scripts.fuzz.identities import Identity


def open_accounts(shop: RunningShop) -> tuple[Identity, Identity, Identity]:
    """Two customers and an administrator of a demo shop.

    Raises:
        CannotAttack: it is none, or its mails do not arrive.
    """
    return asyncio.run(_open_accounts(shop))


async def _open_accounts(shop: RunningShop) -> tuple[Identity, Identity, Identity]:
    async with httpx.AsyncClient(base_url=shop.url, timeout=60) as client:
        target = Target(shop.url, shop.limited, shop.sandbox_url, client, {})
        customer, neighbour, admin = [await target.new_customer() for _ in range(3)]
        account = (await target.request("GET", f"{API}/users/me", headers=bearer(admin["access_token"]))).json()
        promoted = await target.request(
            "PATCH",
            f"{API}/users/{account['id']}",
            json={"role": "admin"},
            headers=await target.as_("admin") | {"If-Match": "*"},
        )
        promoted.raise_for_status()
    names = {"customer": customer, "neighbour": neighbour, "admin": admin}
    one, two, three = (Identity(name, each["email"], each["password"]) for name, each in names.items())
    return one, two, three
