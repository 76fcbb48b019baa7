"""Accounts, looked after by staff."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from app.dependencies import Administration, IfMatch, UserReader, UserWriter
from app.errors import AccountDeleted, InvalidCursor, LastAdmin, NotFound, PreconditionFailed, PreconditionRequired
from app.models.users import User
from app.openapi import problems
from app.routers.etags import tagged
from app.schemas.base import NotEmpty, PageRead, page_of
from app.schemas.users import UserAdministration, UserDetail, UserQuery

router = APIRouter(prefix="/users", tags=["Accounts for staff"])

UserId = Annotated[UUID, Path(description="The account's `id`")]


@router.get(
    "",
    operation_id="users_list",
    response_model=PageRead[UserDetail],
    responses=problems(InvalidCursor),
)
async def list_users(
    query: Annotated[UserQuery, Query()], _: UserReader, administration: Administration
) -> PageRead[UserDetail]:
    """List and search accounts."""
    return page_of(await administration.page(query))


@router.get("/{user_id}", operation_id="users_get", response_model=UserDetail, responses=problems(NotFound))
async def get_user(user_id: UserId, _: UserWriter, administration: Administration, response: Response) -> User:
    """Show an account, with the version to change it by."""
    return tagged(response, await administration.get(user_id))


@router.patch(
    "/{user_id}",
    operation_id="users_update",
    response_model=UserDetail,
    responses=problems(AccountDeleted, LastAdmin, NotFound, PreconditionFailed, PreconditionRequired),
)
async def update_user(
    user_id: UserId,
    data: Annotated[UserAdministration, NotEmpty],
    _: UserWriter,
    seen: IfMatch,
    administration: Administration,
    response: Response,
) -> User:
    """Change somebody's role, or disable and enable their account.

    Takes effect at once, also for whoever is signed in; disabling signs them out everywhere. The audit log keeps who
    did it. The last administrator stays one.
    """
    return tagged(response, await administration.change(user_id, seen, data))
