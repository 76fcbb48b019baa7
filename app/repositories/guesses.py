"""How many more guesses somebody has, and from where people have signed in (docs/decisions/0010)."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Interval, delete, func, select, type_coerce
from sqlalchemy.dialects.postgresql import insert

from app.models.credentials import GuessBudget, KnownOrigin
from app.models.users import User, UserStatus
from app.repositories.base import Repository

FAMILIAR_FOR = timedelta(days=180)


class GuessRepository(Repository):
    """An allowance is one moment: when all of it will be there again (a leaky bucket, known as GCRA).

    A guess moves that moment by the time in which one guess comes back. So a row says all, a single UPDATE counts
    exactly however many guess at once, and a row in the past is as good as none.
    """

    async def take(self, name: bytes, *, cost: timedelta, most: timedelta) -> bool:
        """Take one guess from an allowance that is `most` when full; False, and nothing happens, when it is used up."""
        restored_at = func.greatest(GuessBudget.restored_at, func.now()) + cost
        taken = await self._session.execute(
            insert(GuessBudget)
            .values(name=name, restored_at=func.now() + cost)
            .on_conflict_do_update(
                index_elements=[GuessBudget.name],
                set_={"restored_at": restored_at},
                where=restored_at <= func.now() + most,
            )
            .returning(GuessBudget.name)
        )
        return taken.first() is not None

    async def taken(self, names: Collection[bytes]) -> dict[bytes, timedelta]:
        """How much of each allowance is used up."""
        used = type_coerce(GuessBudget.restored_at - func.now(), Interval())
        found = await self._session.execute(select(GuessBudget.name, used).where(GuessBudget.name.in_(names)))
        return dict(found.all())

    async def known_origins(self, email: str, origins: Collection[bytes]) -> Sequence[bytes]:
        """Those among `origins` from which somebody has signed in to the account of this address."""
        return await self._all(
            select(KnownOrigin.origin)
            .join(User, User.id == KnownOrigin.user_id)
            .where(User.email == email, User.status != UserStatus.ANONYMISED, KnownOrigin.origin.in_(origins))
        )

    async def remember_origins(self, user_id: UUID, origins: Collection[bytes]) -> None:
        statement = insert(KnownOrigin).values([{"user_id": user_id, "origin": origin} for origin in sorted(origins)])
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[KnownOrigin.user_id, KnownOrigin.origin], set_={"last_used_at": func.now()}
            )
        )

    async def forget_origins(self, user_id: UUID) -> None:
        """Nobody is trusted any more: somebody else may have known the password."""
        await self._session.execute(delete(KnownOrigin).where(KnownOrigin.user_id == user_id))

    async def forget_expired(self) -> None:
        await self._session.execute(delete(GuessBudget).where(GuessBudget.restored_at < func.now()))
        await self._session.execute(delete(KnownOrigin).where(KnownOrigin.last_used_at < func.now() - FAMILIAR_FOR))
