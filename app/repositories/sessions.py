"""Sign-ins: who is signed in where, by families of refresh tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased

from app.core.pagination import Position
from app.models.base import table_of
from app.models.users import UserSession
from app.repositories.base import ModelRepository
from app.repositories.keyset import seek

GRACE = timedelta(seconds=10)  # two tabs of one browser refresh with the same token (domain rule 10)
_GOOD = (
    UserSession.family_id == UserSession.id,
    UserSession.revoked_at.is_(None),
    UserSession.expires_at > func.now(),
)


@dataclass(frozen=True, slots=True)
class Family:
    """A sign-in that is good: `ip` and `user_agent` are those of its latest refresh."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip: str | None
    user_agent: str | None


class SessionRepository(ModelRepository[UserSession]):
    """The row of a family's first token, whose id is the family's, stands for the whole family.

    Revoking that one row revokes all tokens, also one that a concurrent refresh is just adding.
    """

    model = UserSession

    async def rotate(self, refresh_hash: bytes, successor_id: UUID) -> UserSession | None:
        """Use a refresh token up. None when it is unknown, has expired or was used before."""
        statement = (
            update(UserSession)
            .where(
                UserSession.refresh_hash == refresh_hash,
                UserSession.replaced_at.is_(None),
                UserSession.expires_at > func.now(),
            )
            .values(replaced_by=successor_id, replaced_at=func.now())
            .returning(UserSession)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def just_rotated(self, refresh_hash: bytes) -> UserSession | None:
        """The token, if it was used up so recently that this may be the other tab."""
        return await self._one_or_none(
            select(UserSession).where(
                UserSession.refresh_hash == refresh_hash,
                UserSession.replaced_at > func.now() - GRACE,
                UserSession.expires_at > func.now(),
            )
        )

    async def families(self, user_id: UUID, limit: int, position: Position | None) -> Sequence[Family]:
        """Up to `limit + 1` of the person's sign-ins that are good, the newest first."""
        latest = aliased(UserSession)
        newest = (
            select(latest.created_at, latest.ip, latest.user_agent)
            .where(latest.family_id == UserSession.id)
            .order_by(latest.created_at.desc(), latest.id.desc())
            .limit(1)
            .lateral()
        )
        statement = (
            select(
                UserSession.id,
                UserSession.created_at,
                newest.c.created_at.label("last_used_at"),
                UserSession.expires_at,
                func.host(newest.c.ip).label("ip"),
                newest.c.user_agent,
            )
            .join(newest, UserSession.family_id == UserSession.id)
            .where(UserSession.user_id == user_id, *_GOOD)
            .limit(limit + 1)
        )
        after = [UUID(*position.values)] if position else None
        falling = position is None or not position.backwards
        found = await self._session.execute(seek(statement, table_of(UserSession).c.id, falling=falling, after=after))
        return [Family(*row) for row in found]

    async def count_families(self, user_id: UUID) -> int:
        counted = await self._session.execute(
            select(func.count()).select_from(UserSession).where(UserSession.user_id == user_id, *_GOOD)
        )
        return counted.scalar_one()

    async def revoke(self, family_id: UUID) -> None:
        await self._session.execute(
            update(UserSession)
            .where(UserSession.id == family_id, UserSession.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .execution_options(synchronize_session=False)
        )

    async def revoke_of(self, user_id: UUID, family_id: UUID) -> bool:
        """End a sign-in of this person; False when they have none with this id."""
        return await self._moved(
            update(UserSession)
            .where(UserSession.id == family_id, UserSession.user_id == user_id, *_GOOD)
            .values(revoked_at=func.now())
        )

    async def revoke_all_of(self, user_id: UUID, keep: UUID | None = None) -> None:
        """End all sign-ins of a person, or all but one."""
        statement = update(UserSession).where(UserSession.user_id == user_id, *_GOOD)
        if keep:
            statement = statement.where(UserSession.id != keep)
        await self._session.execute(
            statement.values(revoked_at=func.now()).execution_options(synchronize_session=False)
        )

    async def revoke_family_of_used(self, refresh_hash: bytes) -> bool:
        """Revoke the family of a token that was used up before; False when there is no such token."""
        family = (
            select(UserSession.family_id)
            .where(UserSession.refresh_hash == refresh_hash, UserSession.replaced_at.is_not(None))
            .scalar_subquery()
        )
        return await self._moved(
            update(UserSession)
            .where(UserSession.id == family)
            .values(revoked_at=func.coalesce(UserSession.revoked_at, func.now()))
        )

    async def forget_expired(self) -> None:
        await self._session.execute(delete(UserSession).where(UserSession.expires_at < func.now()))
