"""Claims on idempotency keys, and the answers that repetitions get."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.models.platform import IdempotencyKey, KeyState
from app.repositories.base import Repository

STALE_AFTER = timedelta(seconds=60)


class IdempotencyRepository(Repository):
    async def claim(self, scope: str, key: str, request_hash: bytes) -> IdempotencyKey | None:
        """Insert the key, or return the row that has it.

        Two requests with one key meet at the primary key: the second waits there until the first one's
        transaction has ended.
        """
        inserted = await self._session.execute(
            insert(IdempotencyKey)
            .values(scope=scope, key=key, request_hash=request_hash, state=KeyState.RUNNING)
            .on_conflict_do_update(
                index_elements=["scope", "key"],
                set_={
                    "request_hash": request_hash,
                    "state": KeyState.RUNNING,
                    "resource_id": None,
                    "status_code": None,
                    "body": None,
                    "locked_at": func.now(),
                    "expires_at": func.now() + timedelta(hours=24),
                },
                where=IdempotencyKey.expires_at < func.now(),
            )
            .returning(IdempotencyKey.key)
        )
        if inserted.first() is not None:
            return None
        return await self._one_or_none(
            select(IdempotencyKey).where(_is(scope, key)).execution_options(populate_existing=True)
        )

    async def take_over(self, scope: str, key: str) -> bool:
        """Continue what a request left unfinished that died, or was told to let go."""
        stale = IdempotencyKey.locked_at < func.now() - STALE_AFTER
        return await self._moved(
            update(IdempotencyKey)
            .where(_is(scope, key), IdempotencyKey.state == KeyState.RUNNING, stale)
            .values(locked_at=func.now())
        )

    async def remember(self, scope: str, key: str, resource_id: UUID) -> None:
        """What the request has made so far: whoever takes over continues from there."""
        await self._session.execute(update(IdempotencyKey).where(_is(scope, key)).values(resource_id=resource_id))

    async def complete(self, scope: str, key: str, status_code: int, body: dict[str, Any]) -> None:
        await self._session.execute(
            update(IdempotencyKey)
            .where(_is(scope, key))
            .values(state=KeyState.DONE, status_code=status_code, body=body)
        )

    async def let_go(self, scope: str, key: str) -> None:
        """The request failed for a reason that may pass: the next one with this key may continue at once."""
        await self._session.execute(
            update(IdempotencyKey)
            .where(_is(scope, key), IdempotencyKey.state == KeyState.RUNNING)
            .values(locked_at=func.now() - STALE_AFTER * 2)
        )

    async def forget_expired(self) -> None:
        await self._session.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at < func.now()))


def _is(scope: str, key: str) -> Any:
    return (IdempotencyKey.scope == scope) & (IdempotencyKey.key == key)
