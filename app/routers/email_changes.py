"""Another e-mail address for your account."""

from fastapi import APIRouter, status

from app.dependencies import AccountWriter, EmailChanges, limited
from app.errors import AccountLocked, WrongPassword
from app.openapi import problems
from app.schemas.auth import Notice
from app.schemas.email_changes import EmailChangeCreate

router = APIRouter(prefix="/users/me/email", tags=["Accounts"])

CHECK_MAILBOX = Notice(message="A mail with a link is on its way to the new address.")


@router.post(
    "",
    operation_id="users_change_email",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=Notice,
    responses=problems(WrongPassword, AccountLocked),
    dependencies=[limited("mail")],
)
async def change_email(data: EmailChangeCreate, user: AccountWriter, email_changes: EmailChanges) -> Notice:
    """Ask for another e-mail address.

    The new one is mailed a link for `POST /auth/verify-email`, and replaces the old one then, which is told of it. The
    answer is the same when the new address belongs to somebody else.
    """
    await email_changes.request(user, data.new_email, data.password)
    return CHECK_MAILBOX
