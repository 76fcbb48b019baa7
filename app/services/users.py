"""A person's own account."""

from uuid import UUID

from app.core.conditional import Versions
from app.database import Database
from app.errors import InvalidToken, PreconditionFailed
from app.models.users import User
from app.schemas.users import UserUpdate


class UserService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, user_id: UUID) -> User:
        async with self._database.snapshot() as tx:
            user = await tx.users.by_id(user_id)
        if user is None:
            raise InvalidToken
        return user

    async def update(self, user_id: UUID, seen: Versions, changes: UserUpdate) -> User:
        """Change the account if it is at one of the versions seen; else `PreconditionFailed`."""
        async with self._database.transaction(audited=True) as tx:
            user = await tx.users.edit(user_id, seen, **changes)
        if user is None:
            raise PreconditionFailed
        return user
