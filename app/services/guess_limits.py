"""How often somebody may guess a password or a code (docs/decisions/0010-guessing-and-lockout.md).

Only wrong guesses count. Each network has an allowance for each account, and all networks together from which nobody
has signed in to it have another: an attacker with any number of addresses uses that one up, and the owner's own network
and devices go on. A device that has signed in shows a secret and has an allowance to itself.
"""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from uuid import UUID

from app.core.security import derive_key
from app.database import Database, UnitOfWork
from app.errors import AccountLocked
from app.services.devices import Device
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many at once, and each comes back after a while, one after the other."""

    at_once: int
    comes_back_after: timedelta

    @property
    def full(self) -> timedelta:
        return self.at_once * self.comes_back_after


# In one hour at most 80 passwords from all strangers together, and 20 from each network or device of the owner.
PASSWORDS = Allowance(10, timedelta(minutes=6))
PASSWORDS_OF_STRANGERS = Allowance(20, timedelta(minutes=1))
# Of a million codes three are good at any moment: even who knows the password needs years, at this rate.
CODES = Allowance(5, timedelta(minutes=12))
OF_A_SESSION = Allowance(5, timedelta(minutes=12))
MAILS = Allowance(10, timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class Limit:
    """One allowance of somebody; `name` is a keyed hash of whose."""

    name: bytes
    allowance: Allowance


class GuessLimits:
    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._key = derive_key(settings.secret_key.get_secret_value(), "guess-limits")

    # Whose allowance it is

    def origins(self, device: Device) -> tuple[bytes, ...]:
        """By what the device may be known: its secret, if it has one, and its network."""
        network = self._name("network", device.network)
        return (self._name("device", device.secret), network) if device.secret else (network,)

    def of_passwords(self, email: str, device: Device, known: Collection[bytes]) -> Sequence[Limit]:
        """`known` are those of the device's `origins` from which somebody has signed in to this account."""
        return self._of_account("password", email, device, known, PASSWORDS, PASSWORDS_OF_STRANGERS)

    def of_codes(self, email: str, device: Device, known: Collection[bytes]) -> Sequence[Limit]:
        """The same for second factors."""
        return self._of_account("code", email, device, known, CODES, CODES)

    def of_session(self, session_id: UUID) -> Sequence[Limit]:
        """Who is signed in and proves once more that it is them."""
        return (Limit(self._name("session", str(session_id)), OF_A_SESSION),)

    def _of_account(
        self, what: str, email: str, device: Device, known: Collection[bytes], each: Allowance, strangers: Allowance
    ) -> Sequence[Limit]:
        *own_device, network = self.origins(device)
        if own_device and own_device[0] in known:
            return (Limit(self._name(what, email, "device", own_device[0].hex()), each),)
        of_network = Limit(self._name(what, email, "network", device.network), each)
        if network in known:
            return (of_network,)
        return (of_network, Limit(self._name(what, email), strangers))

    def _name(self, *parts: str) -> bytes:
        return hmac.digest(self._key, "\0".join(parts).encode(), "sha256")

    # Counting

    async def refuse_beyond(self, tx: UnitOfWork, limits: Sequence[Limit]) -> None:
        """Raise `AccountLocked`, with the seconds to wait, when one of the limits leaves no guess."""
        taken = await tx.guesses.taken([limit.name for limit in limits])
        waits = [
            taken.get(limit.name, timedelta()) + limit.allowance.comes_back_after - limit.allowance.full
            for limit in limits
        ]
        if max(waits) > timedelta():
            raise AccountLocked(retry_after=ceil(max(waits).total_seconds()))

    async def count(self, limits: Sequence[Limit]) -> None:
        """Take a wrong guess from each limit, or from none and raise `AccountLocked`.

        Guesses that run at the same time are counted one by one: no more than allowed learn that they were wrong.
        """
        async with self._database.transaction() as tx:
            for limit in limits:
                if not await self._take(tx, limit):
                    await self.refuse_beyond(tx, limits)
                    raise AccountLocked(retry_after=1)  # one came back this very moment

    async def may_mail(self, tx: UnitOfWork, email: str) -> bool:
        """Whether this address may be written to once more, and count that: nobody's mailbox is flooded through us."""
        return await self._take(tx, Limit(self._name("mail", email), MAILS))

    async def _take(self, tx: UnitOfWork, limit: Limit) -> bool:
        allowance = limit.allowance
        return await tx.guesses.take(limit.name, cost=allowance.comes_back_after, most=allowance.full)
