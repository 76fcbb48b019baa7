"""The signed-in person's own account."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.dependencies import AccountReader, AccountWriter, IfMatch, Users
from app.errors import PreconditionFailed, PreconditionRequired
from app.models.users import User
from app.openapi import problems
from app.routers.etags import tagged
from app.schemas.base import NotEmpty
from app.schemas.users import UserRead, UserUpdate

router = APIRouter(prefix="/users", tags=["Accounts"])


@router.get("/me", operation_id="users_me", response_model=UserRead)
async def read_me(user: AccountReader, users: Users, response: Response) -> User:
    """Your account."""
    return tagged(response, await users.read(user.user_id))


@router.patch(
    "/me",
    operation_id="users_update_me",
    response_model=UserRead,
    responses=problems(PreconditionFailed, PreconditionRequired),
)
async def update_me(
    data: Annotated[UserUpdate, NotEmpty], user: AccountWriter, users: Users, version: IfMatch, response: Response
) -> User:
    """Change your account, if it is still as you read it: `If-Match` names the version."""
    return tagged(response, await users.update(user.user_id, version, data))
