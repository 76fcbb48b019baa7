"""What staff see of accounts, and what administrators decide about them."""

from uuid import UUID

from app.core.conditional import Versions
from app.core.pagination import CursorSigner, Page
from app.database import Database, retried_on_conflict
from app.errors import AccountDeleted, LastAdmin, NotFound, PreconditionFailed
from app.models.users import Role, User, UserStatus
from app.schemas.users import UserAdministration, UserDetail, UserQuery


class UserAdministrationService:
    """A new role or status acts at once in all processes: the database tells them (migration 0007)."""

    def __init__(self, database: Database, cursors: CursorSigner) -> None:
        self._database = database
        self._cursors = cursors

    async def page(self, query: UserQuery) -> Page[UserDetail]:
        bound = query.bound()
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            users = await tx.accounts.page(query, position)
            total = await tx.accounts.count(query) if query.include_total else None
        return self._cursors.page(
            [UserDetail.model_validate(user) for user in users],
            lambda user: (user.created_at.isoformat(), str(user.id)),
            limit=query.limit,
            position=position,
            query=bound,
            total=total,
        )

    async def get(self, user_id: UUID) -> User:
        async with self._database.snapshot() as tx:
            user = await tx.accounts.by_id(user_id)
        if user is None:
            raise NotFound
        return user

    @retried_on_conflict
    async def change(self, user_id: UUID, seen: Versions, changes: UserAdministration) -> User:
        """Give somebody another role, disable their account or enable it again; recorded in the audit log.

        Raises:
            AccountDeleted: its owner has deleted it.
            LastAdmin: nobody would be left to administer the shop.
        """
        async with self._database.transaction(audited=True) as tx:
            admins = await tx.accounts.lock_admins()
            user = await tx.users.lock(user_id)
            if user is None:
                raise NotFound
            if user.status == UserStatus.ANONYMISED:
                raise AccountDeleted
            if seen is not None and user.version not in seen:
                raise PreconditionFailed
            user.role = changes.get("role", user.role)
            user.status = changes.get("status", user.status)
            if list(admins) == [user.id] and not (user.role == Role.ADMIN and user.is_active):
                raise LastAdmin
            user.version += 1
            await tx.accounts.flush()
            if not user.is_active:
                await tx.sessions.revoke_all_of(user.id)
            return user
