"""Who is signed in, remembered between requests for as long as every change would be heard of.

A sign-out, a new role or a revoked key acts within milliseconds in every process: the database tells of each
(migrations 0007 and 0011).
"""

import time
from collections.abc import Hashable
from uuid import UUID

from app.services.principals import Caller

LONGEST = 30.0  # seconds, after which the session or the key itself is looked at again: it may have expired
MOST = 10_000  # callers


class KnownPrincipals:
    """Remembers nothing until `begin` and after `end`, when a change would not be heard.

    A caller is found by what they prove themselves with, and forgotten by what they are: the id of an account or key.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._listening = False
        self._by_proof: dict[Hashable, tuple[float, UUID, Caller]] = {}
        self._proofs_of: dict[UUID, set[Hashable]] = {}
        self.changes = 0

    def begin(self) -> None:
        self._listening = True

    def end(self) -> None:
        self._listening = False
        self.changes += 1
        self._by_proof.clear()
        self._proofs_of.clear()

    def forget(self, identity: str) -> None:
        """Something about this account, its sessions or this key is another now."""
        self.changes += 1
        for proof in self._proofs_of.pop(UUID(identity), ()):
            del self._by_proof[proof]

    def get(self, proof: Hashable) -> Caller | None:
        known = self._by_proof.get(proof)
        if known is None:
            return None
        until, _, caller = known
        return caller if time.monotonic() < until else None

    def remember(self, proof: Hashable, identity: UUID, caller: Caller, changes: int, seconds: float = LONGEST) -> None:
        """`changes` is how many there were when the database was asked: what came since may be about this caller."""
        if not self._listening or self.changes != changes:
            return
        self._by_proof.pop(proof, None)  # so that it is the youngest again
        if len(self._by_proof) >= self._most:
            self._drop_oldest()
        self._by_proof[proof] = (time.monotonic() + min(seconds, LONGEST), identity, caller)
        self._proofs_of.setdefault(identity, set()).add(proof)

    def _drop_oldest(self) -> None:
        proof = next(iter(self._by_proof))
        _, identity, _ = self._by_proof.pop(proof)
        proofs = self._proofs_of[identity]
        proofs.discard(proof)
        if not proofs:
            del self._proofs_of[identity]
