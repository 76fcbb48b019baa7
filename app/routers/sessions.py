"""Where you are signed in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, status

from app.dependencies import AccountReader, AccountWriter, Sessions
from app.errors import InvalidCursor, NotFound
from app.openapi import problems
from app.schemas.base import PageQuery, PageRead, page_of
from app.schemas.sessions import SessionRead

router = APIRouter(prefix="/auth/sessions", tags=["Accounts"])


@router.get(
    "", operation_id="auth_list_sessions", response_model=PageRead[SessionRead], responses=problems(InvalidCursor)
)
async def list_sessions(
    user: AccountReader, sessions: Sessions, query: Annotated[PageQuery, Query()]
) -> PageRead[SessionRead]:
    """Where you are signed in, the newest first. A session lasts from a sign-in through all its refreshes."""
    return page_of(await sessions.page(user, query))


@router.delete(
    "/{session_id}",
    operation_id="auth_end_session",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound),
)
async def end_session(
    session_id: Annotated[UUID, Path(description="The session's `id`")], user: AccountWriter, sessions: Sessions
) -> None:
    """Sign out there: its access and refresh tokens stop working at once."""
    await sessions.end(user, session_id)
