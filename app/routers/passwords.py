"""Forgotten passwords, and new ones."""

from fastapi import APIRouter, status

from app.dependencies import AccountWriter, Credentials, limited
from app.errors import AccountLocked, PasswordTooCommon, TokenExpired, WrongPassword
from app.openapi import problems
from app.routers.devices import ThisDevice
from app.schemas.auth import EmailAddress, Notice
from app.schemas.passwords import PasswordChange, PasswordReset

router = APIRouter(prefix="/auth/password", tags=["Accounts"])

CHECK_MAILBOX = Notice(message="If this address has an account, a mail with a link is on its way.")
CHANGED = Notice(message="The password is changed, and you are signed out everywhere. Sign in with the new one.")


@router.post(
    "/forgot",
    operation_id="auth_forgot_password",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=Notice,
    dependencies=[limited("mail")],
)
async def forgot(data: EmailAddress, credentials: Credentials) -> Notice:
    """Have a link mailed that sets a new password. The answer is the same for an address without an account."""
    await credentials.request_reset(data.email)
    return CHECK_MAILBOX


@router.post(
    "/reset",
    operation_id="auth_reset_password",
    response_model=Notice,
    responses=problems(TokenExpired, PasswordTooCommon),
    dependencies=[limited("token")],
)
async def reset(data: PasswordReset, credentials: Credentials, device: ThisDevice) -> Notice:
    """Set a new password with the token from the mail, which works once.

    Every session ends. An address that was not confirmed is, by this. A second factor is asked for as before.
    """
    await credentials.reset(data.token, data.new_password, device)
    return CHANGED


@router.post(
    "/change",
    operation_id="auth_change_password",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(WrongPassword, AccountLocked, PasswordTooCommon),
    dependencies=[limited("sign-in")],
)
async def change(data: PasswordChange, user: AccountWriter, credentials: Credentials, device: ThisDevice) -> None:
    """Set a new password. Every other session ends; this one goes on."""
    await credentials.change(user, data.password, data.new_password, device)
