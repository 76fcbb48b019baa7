"""E-mail addresses that wait to be confirmed, and those that were replaced."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, update

from app.models.credentials import EmailChange
from app.repositories.base import ModelRepository

KEPT_FOR = timedelta(days=30)  # for the mails that tell of the change


class EmailChangeRepository(ModelRepository[EmailChange]):
    model = EmailChange

    async def cancel(self, user_id: UUID) -> None:
        """What the person asked for before and has not confirmed."""
        await self._session.execute(
            delete(EmailChange)
            .where(EmailChange.user_id == user_id, EmailChange.confirmed_at.is_(None))
            .execution_options(synchronize_session=False)
        )

    async def confirm(self, user_id: UUID, *, old_email: str, new_email: str | None) -> UUID | None:
        """The id of the change from the one to the other that waited to be confirmed; None when there is none."""
        statement = (
            update(EmailChange)
            .where(
                EmailChange.user_id == user_id,
                EmailChange.old_email == old_email,
                EmailChange.new_email == new_email,
                EmailChange.confirmed_at.is_(None),
            )
            .values(confirmed_at=func.now())
            .returning(EmailChange.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def forget_expired(self) -> None:
        await self._session.execute(delete(EmailChange).where(EmailChange.created_at < func.now() - KEPT_FOR))
