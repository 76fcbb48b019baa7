"""An authenticator app as a second factor, if you like."""

from fastapi import APIRouter, status

from app.dependencies import AccountReader, AccountWriter, SecondFactors, limited
from app.errors import AccountLocked, SecondFactorEnabled, SecondFactorNotEnabled, WrongCode, WrongPassword
from app.openapi import problems
from app.routers.devices import NotStored
from app.schemas.second_factors import (
    RecoveryCodes,
    SecondFactorConfirmation,
    SecondFactorCreate,
    SecondFactorEnrolment,
    SecondFactorProof,
    SecondFactorRead,
)
from app.services.second_factors import Enrolment, SecondFactorState

router = APIRouter(prefix="/auth/second-factor", tags=["Accounts"])


@router.get("", operation_id="auth_second_factor", response_model=SecondFactorRead)
async def read(user: AccountReader, second_factors: SecondFactors) -> SecondFactorState:
    """Whether signing in takes a code."""
    return await second_factors.state(user)


@router.post(
    "",
    operation_id="auth_enrol_second_factor",
    response_model=SecondFactorEnrolment,
    responses=problems(WrongPassword, SecondFactorEnabled, AccountLocked),
    dependencies=[limited("sign-in"), NotStored],
)
async def enrol(data: SecondFactorCreate, user: AccountWriter, second_factors: SecondFactors) -> Enrolment:
    """Begin: a secret for an authenticator app (TOTP, RFC 6238). Nothing is asked for until a code has confirmed it."""
    return await second_factors.enrol(user, data.password)


@router.post(
    "/confirm",
    operation_id="auth_confirm_second_factor",
    response_model=RecoveryCodes,
    responses=problems(WrongCode, SecondFactorEnabled, SecondFactorNotEnabled, AccountLocked),
    dependencies=[limited("sign-in"), NotStored],
)
async def confirm(data: SecondFactorConfirmation, user: AccountWriter, second_factors: SecondFactors) -> RecoveryCodes:
    """Show that the app works, and have codes asked for from now on. Every other session ends.

    Keep the recovery codes of the answer: each opens the account once when the app is lost.
    """
    return RecoveryCodes(recovery_codes=await second_factors.confirm(user, data.code))


@router.post(
    "/disable",
    operation_id="auth_disable_second_factor",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(WrongPassword, WrongCode, SecondFactorNotEnabled, AccountLocked),
    dependencies=[limited("sign-in")],
)
async def disable(data: SecondFactorProof, user: AccountWriter, second_factors: SecondFactors) -> None:
    """Have no codes asked for any more. The recovery codes end."""
    await second_factors.disable(user, data.password, data.code)


@router.post(
    "/recovery-codes",
    operation_id="auth_renew_recovery_codes",
    response_model=RecoveryCodes,
    responses=problems(WrongPassword, WrongCode, SecondFactorNotEnabled, AccountLocked),
    dependencies=[limited("sign-in"), NotStored],
)
async def renew_recovery_codes(
    data: SecondFactorProof, user: AccountWriter, second_factors: SecondFactors
) -> RecoveryCodes:
    """Ten new recovery codes. The old ones end."""
    return RecoveryCodes(recovery_codes=await second_factors.renew_recovery_codes(user, data.password, data.code))
