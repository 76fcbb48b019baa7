"""Register, confirm the e-mail address, sign in, stay signed in."""

import ipaddress
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Request, Response, status

from app.dependencies import Auth, CurrentUser, limited
from app.errors import (
    AccountLocked,
    EmailNotVerified,
    InvalidCredentials,
    InvalidToken,
    TokenExpired,
    TokenReused,
    TooManyRequests,
)
from app.openapi import problems
from app.schemas.auth import (
    EmailAddress,
    EmailVerification,
    Notice,
    PasswordGrant,
    TokenRead,
    TokenRefresh,
    UserCreate,
)
from app.services.auth import Device, TokenPair

router = APIRouter(prefix="/auth", tags=["Accounts"])

LONGEST_USER_AGENT = 400

CHECK_MAILBOX = Notice(message="If this address is waiting to be confirmed, a mail with a link is on its way.")
CONFIRMED = Notice(message="The e-mail address is confirmed. You can sign in now.")


async def device(request: Request) -> Device:
    """From where the request comes. Servers on a Unix socket know no address."""
    agent = request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT] or None
    try:
        address = ipaddress.ip_address(request.client.host.partition("%")[0]) if request.client else None
    except ValueError:
        address = None
    return Device(ip=str(address) if address else None, user_agent=agent)


async def not_stored(response: Response) -> None:
    """RFC 6749 §5.1: no cache keeps tokens."""
    response.headers["Cache-Control"] = "no-store"


ThisDevice = Annotated[Device, Depends(device)]
NotStored = Depends(not_stored)


@router.post(
    "/register",
    operation_id="auth_register",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=Notice,
    responses=problems(TooManyRequests),
    dependencies=[limited("register")],
)
async def register(data: UserCreate, auth: Auth) -> Notice:
    """Open an account.

    A mail with a confirmation link follows. The answer is the same when the address has an account already; then
    the mail says so to its owner.
    """
    await auth.register(data)
    return CHECK_MAILBOX


@router.post(
    "/verify-email",
    operation_id="auth_verify_email",
    response_model=Notice,
    responses=problems(TokenExpired, TooManyRequests),
    dependencies=[limited("token")],
)
async def verify_email(data: EmailVerification, auth: Auth) -> Notice:
    """Confirm an e-mail address with the token from the mail, which works once."""
    await auth.verify_email(data.token)
    return CONFIRMED


@router.post(
    "/verify-email/resend",
    operation_id="auth_resend_verification",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=Notice,
    responses=problems(TooManyRequests),
    dependencies=[limited("mail")],
)
async def resend_verification(data: EmailAddress, auth: Auth) -> Notice:
    """Mail the confirmation link again. The answer is the same for an address without an account."""
    await auth.request_verification(data.email)
    return CHECK_MAILBOX


@router.post(
    "/token",
    operation_id="auth_sign_in",
    response_model=TokenRead,
    responses=problems(InvalidCredentials, EmailNotVerified, AccountLocked, TooManyRequests),
    dependencies=[limited("sign-in"), NotStored],
)
async def sign_in(
    form: Annotated[PasswordGrant, Form()],
    auth: Auth,
    device: ThisDevice,
    cart_token: Annotated[
        str | None, Header(alias="X-Cart-Token", description="The guest's cart to take along")
    ] = None,
) -> TokenPair:
    """Sign in with an e-mail address and a password.

    OAuth2's password flow, as used by *Authorize* on this page. A guest's cart, named by `X-Cart-Token`, becomes
    part of the account's cart. Ten wrong passwords lock the account for a quarter of an hour.
    """
    return await auth.sign_in(form.username, form.password, device, cart_token)


@router.post(
    "/refresh",
    operation_id="auth_refresh",
    response_model=TokenRead,
    responses=problems(InvalidToken, TokenReused, TooManyRequests),
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
