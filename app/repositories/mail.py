"""Which mails have gone out."""

from datetime import timedelta

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert

from app.models.platform import EmailLog
from app.repositories.base import Repository


class EmailLogRepository(Repository):
    async def claim(self, key: str, template: str, lease: timedelta) -> bool:
        """Whether this mail is ours to send: not sent yet, and nobody else has been at it for `lease`."""
        claimed = await self._session.execute(
            insert(EmailLog)
            .values(key=key, template=template)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={"claimed_at": func.now()},
                where=EmailLog.sent_at.is_(None) & (EmailLog.claimed_at < func.now() - lease),
            )
            .returning(EmailLog.key)
        )
        return claimed.first() is not None

    async def is_sent(self, key: str) -> bool:
        log = await self._session.get(EmailLog, key)
        return log is not None and log.sent_at is not None

    async def mark_sent(self, key: str) -> None:
        await self._session.execute(update(EmailLog).where(EmailLog.key == key).values(sent_at=func.now()))

    async def let_go(self, key: str) -> None:
        """Sending failed: the next attempt need not wait for the lease."""
        await self._session.execute(
            update(EmailLog)
            .where(EmailLog.key == key, EmailLog.sent_at.is_(None))
            .values(claimed_at=func.now() - timedelta(days=1))
        )
