"""People."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.core.clock import now
from app.core.conditional import Versions
from app.models.users import Role, User, UserSession, UserStatus
from app.repositories.base import ModelRepository
from app.repositories.constraints import flush

_LIVING = User.status != UserStatus.ANONYMISED
# Without bound values: once PostgreSQL plans a prepared statement for any value, it no longer recognises the index.
_LIVING_LITERALLY = text("status <> 'anonymised'")


class UserRepository(ModelRepository[User]):
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

    async def edit(self, user_id: UUID, seen: Versions, **values: Any) -> User | None:
        """The account after the edit, or None when it is at none of those versions."""
        statement = update(User).where(User.id == user_id).values(version=User.version + 1, **values).returning(User)
        if seen is not None:
            statement = statement.where(User.version.in_(seen))
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def confirm_email(self, user_id: UUID) -> bool:
        return await self._moved(
            update(User)
            .where(User.id == user_id, User.email_verified_at.is_(None))
            .values(email_verified_at=func.now())
        )

    async def set_password(self, user: User, password_hash: str, *, verified: bool) -> None:
        """`verified` also confirms the address: whoever reads its mails was sent a link there."""
        user.password_hash = password_hash
        if verified and user.email_verified_at is None:
            user.email_verified_at = now()
        await self._session.flush()

    async def change_email(self, user: User, email: str) -> None:
        """Raises `EmailTaken` when another account has the address by now."""
        user.email, user.email_verified_at, user.version = email, now(), user.version + 1
        await flush(self._session)

    async def emails_of(self, role: Role) -> Sequence[str]:
        """Where those with this role can be written to."""
        return await self._all(
            select(User.email).where(User.role == role, User.status == UserStatus.ACTIVE).order_by(User.email)
        )

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
