"""Who is signed in, remembered between requests for as long as every change would be heard of.

A sign-out or a new role acts within milliseconds in every process: the database tells of both (migration 0007).
"""

import time
from uuid import UUID

from app.services.principals import Principal

LONGEST = 30.0  # seconds, after which the session itself is looked at again: it may have expired
MOST = 10_000  # people


class KnownPrincipals:
    """Remembers nothing until `begin` and after `end`, when a change would not be heard."""

    def __init__(self) -> None:
        self._listening = False
        self._known: dict[UUID, dict[UUID, tuple[float, Principal]]] = {}
        self.changes = 0

    def begin(self) -> None:
        self._listening = True

    def end(self) -> None:
        self._listening = False
        self.changes += 1
        self._known.clear()

    def forget(self, user_id: str) -> None:
        """Something about this person's account or sessions is another now."""
        self.changes += 1
        self._known.pop(UUID(user_id), None)

    def get(self, user_id: UUID, session_id: UUID) -> Principal | None:
        seen_at, principal = self._known.get(user_id, {}).get(session_id, (0.0, None))
        return principal if time.monotonic() - seen_at < LONGEST else None

    def remember(self, principal: Principal, changes: int) -> None:
        """`changes` is how many there were when the database was asked: what came since may be about this person."""
        if self._listening and self.changes == changes:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known.setdefault(principal.user_id, {})[principal.session_id] = (time.monotonic(), principal)
