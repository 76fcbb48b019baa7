"""Doing it once, however often it is asked (domain rule 3; IETF draft-ietf-httpapi-idempotency-key-header).

The key is claimed in the operation's first transaction and completed in its last, so the deed and the stored answer
commit together. A refusal that changed nothing rolls the claim back with everything else: it may be tried again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError

from app.database import LOCK_NOT_AVAILABLE, UnitOfWork, sqlstate
from app.errors import IdempotencyKeyReused, RequestInProgress, ShopError
from app.models.platform import KeyState


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client is told: the same thing each time. `body` is ready for JSON."""

    status: int
    body: Mapping[str, Any]
    replayed: bool = False


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

    async def begin(self, tx: UnitOfWork) -> Answer | Claim:
        """Claim the key, or return the answer that its first request got.

        Raises:
            IdempotencyKeyReused: the key came with another body before.
            RequestInProgress: the first request is still running.
        """
        try:
            row = await tx.idempotency.claim(self.scope, self.key, self.request_hash)
        except DBAPIError as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:
                raise RequestInProgress(retry_after=1) from error
            raise
        if row is None:
            return Claim()
        if row.request_hash != self.request_hash:
            raise IdempotencyKeyReused
        if row.state == KeyState.DONE:
            return _replay(row.status_code or 0, row.body or {})
        if await tx.idempotency.take_over(self.scope, self.key):
            return Claim(row.resource_id)
        raise RequestInProgress(retry_after=1)

    async def remember(self, tx: UnitOfWork, resource_id: UUID) -> None:
        await tx.idempotency.remember(self.scope, self.key, resource_id)

    async def complete(self, tx: UnitOfWork, status: int, body: BaseModel) -> Answer:
        """Store the answer beside what it tells of."""
        stored = body.model_dump(mode="json")
        await tx.idempotency.complete(self.scope, self.key, status, stored)
        return Answer(status, stored)

    async def refuse(self, tx: UnitOfWork, refusal: ShopError) -> None:
        """Store a refusal that did change something, such as a declined card."""
        await tx.idempotency.complete(self.scope, self.key, refusal.status, refusal.as_dict())

    async def let_go(self, tx: UnitOfWork) -> None:
        """Something that may pass went wrong: the client may try again at once, and continue."""
        await tx.idempotency.let_go(self.scope, self.key)


def _replay(status: int, body: dict[str, Any]) -> Answer:
    if status >= 400:
        refusal = ShopError.from_dict(body)
        refusal.replayed = True
        raise refusal
    return Answer(status, body, replayed=True)
