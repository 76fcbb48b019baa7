"""Doing it once, however often it is asked (domain rule 3; IETF draft-ietf-httpapi-idempotency-key-header).

The key is claimed in the operation's first transaction and completed in its last, so the deed and the stored answer
commit together. A refusal that changed nothing rolls the claim back with everything else: it may be tried again.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, Self
from uuid import UUID

from pydantic import BaseModel

from app.database_errors import DATABASE_ERRORS, LOCK_NOT_AVAILABLE, sqlstate
from app.errors import IdempotencyKeyReused, RequestInProgress, ShopError
from app.models.platform import KeyState
from app.repositories.idempotency import IdempotencyRepository


class KeepsKeys(Protocol):
    """A unit of work, of either kind."""

    idempotency: IdempotencyRepository


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client is told: the same thing each time. `body` is JSON."""

    status: int
    body: str
    replayed: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """The body, read."""
        content: dict[str, Any] = json.loads(self.body)
        return content


@dataclass(frozen=True, slots=True)
class Claim:
    """The operation is ours to do. `resource_id` is what a request that died had made already."""

    resource_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One operation with its key. Keys belong to the principal and the operation, not to a bearer token."""

    scope: str
    key: str
    request_hash: bytes

    @classmethod
    def of(cls, principal: str, operation: str, key: str, data: BaseModel | None = None) -> Self:
        body = data.model_dump_json() if data else ""
        return cls(f"{principal} {operation}", key, sha256(body.encode()).digest())

    async def begin(self, tx: KeepsKeys, resource_id: UUID | None = None) -> Answer | Claim:
        """Claim the key, or return the answer that its first request got.

        Whoever knows by now what this transaction will make need not `remember` it.

        Raises:
            IdempotencyKeyReused: the key came with another body before.
            RequestInProgress: the first request is still running.
        """
        try:
            row = await tx.idempotency.claim(self.scope, self.key, self.request_hash, resource_id)
        except DATABASE_ERRORS as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:
                raise RequestInProgress(retry_after=1) from error
            raise
        if row is None:
            return Claim()
        if row.request_hash != self.request_hash:
            raise IdempotencyKeyReused
        if row.state == KeyState.DONE:
            return _replay(row.status_code or 0, row.body or "{}")
        if await tx.idempotency.take_over(self.scope, self.key):
            return Claim(row.resource_id)
        raise RequestInProgress(retry_after=1)

    async def remember(self, tx: KeepsKeys, resource_id: UUID) -> None:
        await tx.idempotency.remember(self.scope, self.key, resource_id)

    async def complete(self, tx: KeepsKeys, status: int, body: BaseModel) -> Answer:
        """Store the answer beside what it tells of."""
        answer = Answer(status, body.model_dump_json())
        await tx.idempotency.complete(self.scope, self.key, answer.status, answer.body)
        return answer

    async def refuse(self, tx: KeepsKeys, refusal: ShopError) -> None:
        """Store a refusal that did change something, such as a declined card."""
        await tx.idempotency.complete(self.scope, self.key, refusal.status, json.dumps(refusal.as_dict()))

    async def let_go(self, tx: KeepsKeys) -> None:
        """Something that may pass went wrong: the client may try again at once, and continue."""
        await tx.idempotency.let_go(self.scope, self.key)

    async def forget(self, tx: KeepsKeys) -> None:
        """The answer cannot be repeated: the key is free again."""
        await tx.idempotency.forget(self.scope, self.key)


def _replay(status: int, body: str) -> Answer:
    if status >= 400:
        refusal = ShopError.from_dict(json.loads(body))
        refusal.replayed = True
        raise refusal
    return Answer(status, body, replayed=True)
