"""Register, confirm the e-mail address, sign in, stay signed in."""

from typing import Annotated

from fastapi import APIRouter, Form, Header, Request, Response, status

from app.dependencies import AccountWriter, Auth, CurrentUser, Registrations, Sessions, limited
from app.errors import (
    AccountLocked,
    EmailNotVerified,
    EmailTaken,
    InvalidCredentials,
    InvalidScope,
    InvalidSecondFactor,
    InvalidToken,
    PasswordTooCommon,
    SecondFactorRequired,
    TokenExpired,
    TokenReused,
)
from app.openapi import problems
from app.routers.devices import NotStored, ThisDevice, know_again
from app.schemas.auth import (
    EmailAddress,
    EmailVerification,
    Notice,
    PasswordGrant,
    TokenRead,
    TokenRefresh,
    UserCreate,
)
from app.services.auth import SignIn, TokenPair

router = APIRouter(prefix="/auth", tags=["Accounts"])

CHECK_MAILBOX = Notice(message="If this address is waiting to be confirmed, a mail with a link is on its way.")
CONFIRMED = Notice(message="The e-mail address is confirmed. You can sign in now.")


@router.post(
    "/register",
    operation_id="auth_register",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=Notice,
    responses=problems(PasswordTooCommon),
    dependencies=[limited("register")],
)
async def register(data: UserCreate, registrations: Registrations) -> Notice:
    """Open an account.

    A mail with a confirmation link follows. The answer is the same when the address has an account already; then
    the mail says so to its owner. Any password of 8 characters and more will do, except those that are tried first:
    from breaches, and made of your name, your address or the shop's.
    """
    await registrations.register(data)
    return CHECK_MAILBOX


@router.post(
    "/verify-email",
    operation_id="auth_verify_email",
    response_model=Notice,
    responses=problems(EmailTaken, TokenExpired),
    dependencies=[limited("token")],
)
async def verify_email(data: EmailVerification, registrations: Registrations) -> Notice:
    """Confirm an e-mail address with the token from the mail, which works once.

    It is the address of a new account, or the one that is to replace yours (`POST /users/me/email`).
    """
    await registrations.verify_email(data.token)
    return CONFIRMED


@router.post(
    "/verify-email/resend",
    operation_id="auth_resend_verification",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=Notice,
    dependencies=[limited("mail")],
)
async def resend_verification(data: EmailAddress, registrations: Registrations) -> Notice:
    """Mail the confirmation link again. The answer is the same for an address without an account."""
    await registrations.request_verification(data.email)
    return CHECK_MAILBOX


@router.post(
    "/token",
    operation_id="auth_sign_in",
    response_model=TokenRead,
    responses=problems(
        InvalidScope,
        InvalidCredentials,
        EmailNotVerified,
        SecondFactorRequired,
        InvalidSecondFactor,
        AccountLocked,
    ),
    dependencies=[limited("sign-in"), NotStored],
)
async def sign_in(
    form: Annotated[PasswordGrant, Form()],
    auth: Auth,
    device: ThisDevice,
    request: Request,
    response: Response,
    cart_token: Annotated[
        str | None, Header(alias="X-Cart-Token", description="The guest's cart to take along")
    ] = None,
) -> TokenPair:
    """Sign in with an e-mail address and a password.

    OAuth2's password flow, as used by *Authorize* on this page. A guest's cart, named by `X-Cart-Token`, becomes
    part of the account's cart. With a second factor, send a code of the authenticator app as `otp`, or a recovery code.

    Ten wrong passwords have to be waited for, one every six minutes then. Many from elsewhere lock out whoever has
    never signed in, but neither the devices (they are given a cookie) nor the networks that have.
    """
    attempt = SignIn(form.username, form.password, form.otp, form.scope)
    signed_in = await auth.sign_in(attempt, device, cart_token)
    know_again(request, response, signed_in.device_secret)
    return signed_in.tokens


@router.post(
    "/refresh",
    operation_id="auth_refresh",
    response_model=TokenRead,
    responses=problems(InvalidToken, TokenReused),
    dependencies=[limited("token"), NotStored],
)
async def refresh(data: TokenRefresh, auth: Auth, device: ThisDevice) -> TokenPair:
    """Swap a refresh token for a new pair.

    A refresh token works once. Sent again later than ten seconds after its use it counts as stolen: the answer is
    `token_reused`, and the session that it belongs to ends everywhere.
    """
    return await auth.refresh(data.refresh_token, device)


@router.post("/logout", operation_id="auth_sign_out", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out(user: CurrentUser, auth: Auth) -> None:
    """End this session: its access and refresh tokens stop working at once."""
    await auth.sign_out(user)


@router.post("/logout-all", operation_id="auth_sign_out_everywhere", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out_everywhere(user: AccountWriter, sessions: Sessions) -> None:
    """End all your sessions, this one too."""
    await sessions.end_all(user)
