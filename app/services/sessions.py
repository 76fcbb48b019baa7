"""Where somebody is signed in, and signing out elsewhere."""

from dataclasses import asdict
from uuid import UUID

from app.core.pagination import CursorSigner, Page
from app.database import Database
from app.errors import NotFound
from app.schemas.base import PageQuery
from app.schemas.sessions import SessionRead
from app.services.principals import Principal


class SessionService:
    def __init__(self, database: Database, cursors: CursorSigner) -> None:
        self._database = database
        self._cursors = cursors

    async def page(self, principal: Principal, query: PageQuery) -> Page[SessionRead]:
        """The person's sign-ins, the newest first."""
        bound = query.bound() | {"user_id": principal.user_id}
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            families = await tx.sessions.families(principal.user_id, query.limit, position)
            total = await tx.sessions.count_families(principal.user_id) if query.include_total else None
        sessions = [SessionRead(**asdict(family), current=family.id == principal.session_id) for family in families]
        return self._cursors.page(
            sessions, lambda session: (str(session.id),), limit=query.limit, position=position, query=bound, total=total
        )

    async def end(self, principal: Principal, session_id: UUID) -> None:
        """End one of the person's sign-ins; `NotFound` when it is not theirs, or has ended."""
        async with self._database.transaction() as tx:
            if not await tx.sessions.revoke_of(principal.user_id, session_id):
                raise NotFound

    async def end_all(self, principal: Principal) -> None:
        """End all of the person's sign-ins, this one too."""
        async with self._database.transaction() as tx:
            await tx.sessions.revoke_all_of(principal.user_id)
