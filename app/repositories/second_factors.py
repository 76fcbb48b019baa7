"""Authenticator apps and the codes that stand in for them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from app.models.credentials import RecoveryCode, SecondFactor
from app.repositories.base import ModelRepository


class SecondFactorRepository(ModelRepository[SecondFactor]):
    model = SecondFactor

    async def confirmed(self, user_id: UUID) -> SecondFactor | None:
        """The person's second factor, if there is one that counts."""
        return await self._one_or_none(
            select(SecondFactor).where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
        )

    async def replace_unconfirmed(self, user_id: UUID, secret: str) -> bool:
        """Begin anew, whatever was begun before; False, and nothing happens, when one is confirmed."""
        new = insert(SecondFactor).values(user_id=user_id, secret=secret)
        written = await self._session.execute(
            new.on_conflict_do_update(
                index_elements=[SecondFactor.user_id],
                set_={"secret": new.excluded.secret, "last_step": 0, "created_at": func.now()},
                where=SecondFactor.confirmed_at.is_(None),
            ).returning(SecondFactor.user_id)
        )
        return written.first() is not None

    async def confirm(self, user_id: UUID) -> None:
        await self._session.execute(
            update(SecondFactor).where(SecondFactor.user_id == user_id).values(confirmed_at=func.now())
        )

    async def remove(self, user_id: UUID) -> None:
        """Its recovery codes go with it."""
        await self._session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))

    async def spend_step(self, user_id: UUID, step: int) -> bool:
        """Use the code of a time step up: once, and none before it afterwards."""
        return await self._moved(
            update(SecondFactor)
            .where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
            .values(last_step=step)
        )

    async def spend_recovery_code(self, user_id: UUID, code_hash: bytes) -> bool:
        """Use a recovery code up: of any number of attempts at once, one succeeds."""
        spent = await self._session.execute(
            delete(RecoveryCode)
            .where(RecoveryCode.user_id == user_id, RecoveryCode.hash == code_hash)
            .returning(literal(1))
        )
        return spent.first() is not None

    async def replace_recovery_codes(self, user_id: UUID, hashes: Collection[bytes]) -> None:
        await self._session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        await self._session.execute(
            insert(RecoveryCode).values([{"user_id": user_id, "hash": each} for each in hashes])
        )

    async def recovery_codes_left(self, user_id: UUID) -> int:
        counted = await self._session.execute(select(func.count()).where(RecoveryCode.user_id == user_id))
        return counted.scalar_one()
