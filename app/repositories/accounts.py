"""Accounts as staff look after them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from app.core.pagination import Position
from app.models.base import table_of
from app.models.users import Role, User, UserStatus
from app.repositories.base import ModelRepository
from app.repositories.keyset import seek
from app.schemas.users import UserQuery, UserSort

_USERS = table_of(User)


class AccountRepository(ModelRepository[User]):
    model = User

    async def page(self, query: UserQuery, position: Position | None) -> Sequence[User]:
        """Up to `query.limit + 1`, read from the position in its direction."""
        falling = (query.sort is UserSort.NEWEST) != (position is not None and position.backwards)
        after = None if position is None else (datetime.fromisoformat(position.values[0]), UUID(position.values[1]))
        statement = seek(_matching(query), _USERS.c.created_at, _USERS.c.id, falling=falling, after=after)
        return await self._all(statement.limit(query.limit + 1))

    async def count(self, query: UserQuery) -> int:
        counted = await self._session.execute(select(func.count()).select_from(_matching(query).subquery()))
        return counted.scalar_one()

    async def lock_admins(self) -> Sequence[UUID]:
        """Who administers the shop. Nobody else becomes or ceases to be one of them until the end of the transaction.

        Whoever takes an administrator away queues up here: of two who would take the last two, the second sees one.
        """
        return await self._all(
            select(User.id)
            .where(User.role == Role.ADMIN, User.status == UserStatus.ACTIVE)
            .order_by(User.id)
            .with_for_update(key_share=True)
        )


def _matching(query: UserQuery) -> Select[Any]:
    accounts = select(User)
    if query.role:
        accounts = accounts.where(User.role == query.role)
    if query.status:
        accounts = accounts.where(User.status == query.status)
    if query.q:
        accounts = accounts.where(
            or_(User.email.icontains(query.q, autoescape=True), User.full_name.icontains(query.q, autoescape=True))
        )
    return accounts
