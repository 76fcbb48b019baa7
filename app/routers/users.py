"""The signed-in person's own account."""

from typing import Annotated

from fastapi import APIRouter, Body, Response, status

from app.dependencies import AccountDeletions, AccountReader, AccountWriter, IfMatch, PersonalData, Users
from app.errors import (
    AccountLocked,
    LastAdmin,
    PreconditionFailed,
    PreconditionRequired,
    ReauthenticationRequired,
    WrongPassword,
)
from app.models.jobs import Job
from app.models.users import User
from app.openapi import problems
from app.routers.etags import tagged
from app.schemas.account_deletion import AccountDeletion
from app.schemas.auth import Notice
from app.schemas.base import NotEmpty
from app.schemas.jobs import JobRead
from app.schemas.users import UserRead, UserUpdate

router = APIRouter(prefix="/users", tags=["Accounts"])

OptionalPassword = Annotated[AccountDeletion | None, Body(examples=[{"password": "a long enough passphrase"}])]


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
    data: Annotated[UserUpdate, NotEmpty], user: AccountWriter, users: Users, seen: IfMatch, response: Response
) -> User:
    """Change your account, if it is still as you read it: `If-Match` names the version."""
    return tagged(response, await users.update(user.user_id, seen, data))


@router.delete(
    "/me",
    operation_id="users_delete_me",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=Notice,
    responses=problems(AccountLocked, LastAdmin, ReauthenticationRequired, WrongPassword),
)
async def delete_me(user: AccountWriter, deletions: AccountDeletions, data: OptionalPassword = None) -> Notice:
    """Delete your account, for good.

    Takes your password, unless you have signed in within the last five minutes. You are signed out everywhere; your
    addresses, carts and whatever else is only yours are deleted at once, and your e-mail address is free again. Your
    reviews stay without your name. Of orders, the shop keeps what the law asks for.
    """
    await deletions.delete(user, data.password if data else None)
    return Notice(message="Your account is deleted.")


@router.get(
    "/me/export",
    operation_id="users_export_me",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=JobRead,
)
async def export_me(user: AccountReader, personal_data: PersonalData, response: Response) -> Job:
    """Ask for everything that the shop holds on you (GDPR, articles 15 and 20).

    `GET /jobs/{job_id}` tells how far it is, `GET /jobs/{job_id}/result` has it for a day. While one is being made,
    asking again gets that one.
    """
    job = await personal_data.request(user.user_id)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    response.headers["Cache-Control"] = "no-store"
    return job
