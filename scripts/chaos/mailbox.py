"""The confirmations that arrive at the sandbox. Its mailbox forgets, so it is read all the time."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

LOOK_EVERY = 0.25  # seconds
AT_ONCE = 100  # more than arrive between two looks


@dataclass
class Mailbox:
    """`confirmations` counts them by address."""

    url: str
    confirmations: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    async def watch(self) -> None:
        """Read until cancelled."""
        async with httpx.AsyncClient(base_url=self.url, timeout=10, trust_env=False) as client:
            while True:
                with suppress(httpx.TransportError):  # the machine is busy; the mails are still there
                    self._read((await client.get("/mailbox/messages", params={"limit": AT_ONCE})).json()["data"])
                await asyncio.sleep(LOOK_EVERY)

    def _read(self, messages: list[dict[str, str]]) -> None:
        new = [message for message in messages if message["id"] not in self._seen]
        if self._seen and len(new) == AT_ONCE:
            raise RuntimeError("mails arrive faster than they are read: some may not have been counted")
        for message in new:
            self._seen.add(message["id"])
            if message["subject"].endswith("is confirmed"):
                self.confirmations[message["to"]] += 1
