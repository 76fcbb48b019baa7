"""Links that work once."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, func, select, update

from app.models.users import OneTimeToken, TokenPurpose
from app.repositories.base import ModelRepository


class OneTimeTokenRepository(ModelRepository[OneTimeToken]):
    model = OneTimeToken

    async def find(self, token_hash: bytes, *purposes: TokenPurpose) -> OneTimeToken | None:
        """The link, if it may still be used."""
        return await self._one_or_none(
            select(OneTimeToken).where(
                OneTimeToken.hash == token_hash,
                OneTimeToken.purpose.in_(purposes),
                OneTimeToken.used_at.is_(None),
                OneTimeToken.expires_at > func.now(),
            )
        )

    async def spend(self, token_hash: bytes) -> bool:
        """Use the link up: of any number of attempts at once, one succeeds."""
        return await self._moved(
            update(OneTimeToken)
            .where(
                OneTimeToken.hash == token_hash, OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > func.now()
            )
            .values(used_at=func.now())
        )

    async def cancel(self, user_id: UUID, purposes: Collection[TokenPurpose]) -> None:
        """Make the links that this person was mailed worthless."""
        await self._session.execute(
            delete(OneTimeToken)
            .where(OneTimeToken.user_id == user_id, OneTimeToken.purpose.in_(purposes))
            .execution_options(synchronize_session=False)
        )

    async def forget_expired(self) -> None:
        await self._session.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < func.now()))
