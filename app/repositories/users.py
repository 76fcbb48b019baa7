"""People, their sign-ins and their one-time links."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.models.users import (
    ATTEMPTS_BEFORE_LOCK,
    LOCK,
    OneTimeToken,
    Role,
    TokenPurpose,
    User,
    UserSession,
    UserStatus,
)
from app.repositories.base import ModelRepository

GRACE = timedelta(seconds=10)  # two tabs of one browser refresh with the same token (domain rule 10)

_LIVING = User.status != UserStatus.ANONYMISED
# Without bound values: once PostgreSQL plans a prepared statement for any value, it no longer recognises the index.
_LIVING_LITERALLY = text("status <> 'anonymised'")
_NOT_LOCKED = or_(User.locked_until.is_(None), User.locked_until <= func.now())


class UserRepository(ModelRepository[User]):
    """The row of a family's first token, whose id is the family's, stands for the whole family.

    Revoking that one row revokes all tokens, also one that a concurrent refresh is just adding.
    """

    model = User

    async def living(self, email: str) -> User | None:
        """The account of an address, in any case of letters."""
        return await self._one_or_none(select(User).where(User.email == email, _LIVING))

    async def lock(self, user_id: UUID) -> User | None:
        """Today's row, held until the end of the transaction."""
        return await self._one_or_none(
            select(User)
            .where(User.id == user_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )

    async def register(self, **values: Any) -> UUID | None:
        """The id of a new account, or None when the address has one: of any number at once, one wins."""
        statement = (
            insert(User)
            .values(**values)
            .on_conflict_do_nothing(index_elements=[User.email], index_where=_LIVING_LITERALLY)
            .returning(User.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def edit(self, user_id: UUID, version: int, **values: Any) -> User | None:
        """The account after the edit, or None when it is no longer at that version."""
        statement = (
            update(User)
            .where(User.id == user_id, User.version == version)
            .values(version=User.version + 1, **values)
            .returning(User)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def count_failed_sign_in(self, user_id: UUID) -> bool:
        """Count a wrong password, and lock the account at the last one allowed; False when it is locked already."""
        failures = case((User.locked_until.is_(None), User.failed_logins + 1), else_=1)  # a lock that ended: afresh
        return await self._moved(
            update(User)
            .where(User.id == user_id, _NOT_LOCKED)
            .values(
                failed_logins=failures,
                locked_until=case((failures >= ATTEMPTS_BEFORE_LOCK, func.now() + LOCK), else_=None),
            )
            .execution_options(synchronize_session=False)
        )

    async def confirm_email(self, user_id: UUID) -> bool:
        return await self._moved(
            update(User)
            .where(User.id == user_id, User.email_verified_at.is_(None))
            .values(email_verified_at=func.now())
        )

    async def emails_of(self, role: Role) -> Sequence[str]:
        """Where those with this role can be written to."""
        return await self._all(
            select(User.email).where(User.role == role, User.status == UserStatus.ACTIVE).order_by(User.email)
        )

    # Sign-ins

    async def start_session(self, session: UserSession) -> None:
        self._session.add(session)
        await self._session.flush()

    async def role_in_session(self, user_id: UUID, family_id: UUID) -> str | None:
        """The person's role of today; None when the sign-in was revoked or has ended, or the account is not active."""
        return await self._one_or_none(
            select(User.role)
            .join(UserSession, UserSession.user_id == User.id)
            .where(
                User.id == user_id,
                User.status == UserStatus.ACTIVE,
                UserSession.id == family_id,
                UserSession.revoked_at.is_(None),
                UserSession.expires_at > func.now(),
            )
        )

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

    async def revoke_family(self, family_id: UUID) -> None:
        await self._session.execute(
            update(UserSession)
            .where(UserSession.id == family_id, UserSession.revoked_at.is_(None))
            .values(revoked_at=func.now())
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
            .execution_options(synchronize_session=False)
        )

    # One-time links

    async def add_token(self, token: OneTimeToken) -> None:
        self._session.add(token)
        await self._session.flush()

    async def spend_token(self, token_hash: bytes, purpose: TokenPurpose) -> UUID | None:
        """Whose link this is, once; None when it is unknown, has expired or was used before."""
        statement = (
            update(OneTimeToken)
            .where(
                OneTimeToken.hash == token_hash,
                OneTimeToken.purpose == purpose,
                OneTimeToken.used_at.is_(None),
                OneTimeToken.expires_at > func.now(),
            )
            .values(used_at=func.now())
            .returning(OneTimeToken.user_id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def forget_expired(self) -> None:
        """Delete sign-ins and links that have run out."""
        await self._session.execute(delete(UserSession).where(UserSession.expires_at < func.now()))
        await self._session.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < func.now()))
