"""Keys of services."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update

from app.core.pagination import Position
from app.models.api_keys import ApiKey
from app.repositories.base import ModelRepository
from app.repositories.keyset import seek

USE_NOTED_EVERY = timedelta(minutes=1)

_LIVING = ApiKey.revoked_at.is_(None)
_USED_UNNOTED = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - USE_NOTED_EVERY)


class GoodKey(NamedTuple):
    """What a key is good for, and for how many seconds yet. `is_noted`: that it was used, within the last minute."""

    id: UUID
    scopes: list[str]
    seconds: float
    is_noted: bool


class ApiKeyRepository(ModelRepository[ApiKey]):
    model = ApiKey

    async def good(self, key_hash: bytes) -> GoodKey | None:
        """None when the key is unknown, expired or revoked."""
        seconds = func.extract("epoch", ApiKey.expires_at - func.now())
        found = await self._session.execute(
            select(ApiKey.id, ApiKey.scopes, seconds, ~_USED_UNNOTED).where(
                ApiKey.hash == key_hash, _LIVING, ApiKey.expires_at > func.now()
            )
        )
        row = found.one_or_none()
        return None if row is None else GoodKey(row[0], row[1], float(row[2]), row[3])

    async def note_use(self, key_id: UUID) -> None:
        """At most once a minute, however many processes see the key used."""
        await self._session.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id, _USED_UNNOTED)
            .values(last_used_at=func.now())
            .execution_options(synchronize_session=False)
        )

    async def living(self, key_id: UUID) -> ApiKey | None:
        return await self._one_or_none(_all_living().where(ApiKey.id == key_id))

    async def page(self, position: Position | None, limit: int) -> Sequence[ApiKey]:
        """Up to `limit + 1` keys, the newest first, read from the position in its direction."""
        backwards = position is not None and position.backwards
        after = None if position is None else [UUID(position.values[0])]
        return await self._all(
            seek(_all_living(), ApiKey.id.expression, falling=not backwards, after=after).limit(limit + 1)
        )

    async def count(self) -> int:
        return (await self._session.execute(_all_living().with_only_columns(func.count()))).scalar_one()

    async def revoke(self, key_id: UUID) -> bool:
        return await self._moved(update(ApiKey).where(ApiKey.id == key_id, _LIVING).values(revoked_at=func.now()))


def _all_living() -> Select[ApiKey]:
    return select(ApiKey).where(_LIVING)
