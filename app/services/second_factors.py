"""An authenticator app as a second factor, and recovery codes for when it is lost."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from app.core.clock import now
from app.core.security import digest
from app.core.totp import DIGITS, new_totp_secret, provisioning_uri, step_of
from app.database import Database, UnitOfWork
from app.errors import SecondFactorEnabled, SecondFactorNotEnabled, WrongCode
from app.models.credentials import SecondFactor
from app.services.guess_limits import GuessLimits
from app.services.principals import Principal
from app.services.reauthentication import Reauthentication

ISSUER = "Emporium"
RECOVERY_CODES = 10
_RECOVERY_BYTES = 15  # 120 bits: from 112 on a plain hash will do (OWASP ASVS 5.0 §6.5.2)
_GROUP = 6


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is told: typed, or as a QR code."""

    secret: str
    otpauth_uri: str


@dataclass(frozen=True, slots=True)
class SecondFactorState:
    enabled: bool
    enabled_at: datetime | None
    recovery_codes_left: int


class SecondFactorService:
    def __init__(self, database: Database, limits: GuessLimits, reauthentication: Reauthentication) -> None:
        self._database = database
        self._limits = limits
        self._reauthentication = reauthentication

    async def state(self, principal: Principal) -> SecondFactorState:
        async with self._database.snapshot() as tx:
            factor = await tx.second_factors.confirmed(principal.user_id)
            left = await tx.second_factors.recovery_codes_left(principal.user_id)
        return SecondFactorState(factor is not None, factor.confirmed_at if factor else None, left)

    async def enrol(self, principal: Principal, password: str) -> Enrolment:
        """A new secret for an app. It counts once `confirm` has seen a code of it.

        Raises: `WrongPassword`, `AccountLocked`, `SecondFactorEnabled`.
        """
        user = await self._reauthentication.of(principal, password)
        secret = new_totp_secret()
        async with self._database.transaction() as tx:
            if not await tx.second_factors.replace_unconfirmed(user.id, secret):
                raise SecondFactorEnabled
        return Enrolment(secret, provisioning_uri(secret, user.email, ISSUER))

    async def confirm(self, principal: Principal, code: str) -> list[str]:
        """Ask for codes from now on. Every other sign-in ends: it had no second factor.

        Returns the recovery codes, which are shown this once. Raises `WrongCode`, `AccountLocked`,
        `SecondFactorEnabled`, and `SecondFactorNotEnabled` when there is none to confirm.
        """
        limits = self._limits.of_session(principal.session_id)
        codes = _new_recovery_codes()
        async with self._database.transaction() as tx:
            await self._limits.refuse_beyond(tx, limits)
            factor = await tx.second_factors.by_id(principal.user_id)
            if factor is None:
                raise SecondFactorNotEnabled
            if factor.confirmed_at:
                raise SecondFactorEnabled
            right = await _is_codes_first_use(tx, factor, code)
            if right:
                await tx.second_factors.confirm(principal.user_id)
                await tx.second_factors.replace_recovery_codes(principal.user_id, [_hashed(each) for each in codes])
                await tx.sessions.revoke_all_of(principal.user_id, keep=principal.session_id)
                await tx.outbox.announce("customer.second_factor_enabled", principal.user_id)
        if not right:
            await self._limits.count(limits)
            raise WrongCode
        return codes

    async def disable(self, principal: Principal, password: str, code: str) -> None:
        """Ask for no codes any more.

        Raises: `WrongPassword`, `WrongCode`, `AccountLocked`, `SecondFactorNotEnabled`.
        """
        await self._prove(principal, password, code)
        async with self._database.transaction() as tx:
            await tx.second_factors.remove(principal.user_id)
            await tx.outbox.announce("customer.second_factor_disabled", principal.user_id)

    async def renew_recovery_codes(self, principal: Principal, password: str, code: str) -> list[str]:
        """New recovery codes; the old ones end. Raises as `disable`."""
        await self._prove(principal, password, code)
        codes = _new_recovery_codes()
        async with self._database.transaction() as tx:
            await tx.second_factors.replace_recovery_codes(principal.user_id, [_hashed(each) for each in codes])
        return codes

    async def _prove(self, principal: Principal, password: str, code: str) -> None:
        await self._reauthentication.of(principal, password)
        async with self._database.transaction() as tx:
            factor = await tx.second_factors.confirmed(principal.user_id)
            if factor is None:
                raise SecondFactorNotEnabled
            right = await accepts(tx, factor, code)
        if not right:
            await self._limits.count(self._limits.of_session(principal.session_id))
            raise WrongCode


async def accepts(tx: UnitOfWork, factor: SecondFactor, code: str) -> bool:
    """Whether this is a code of the app that was not used before, or a recovery code; it is used up by that."""
    if await _is_codes_first_use(tx, factor, code):
        return True
    if not await tx.second_factors.spend_recovery_code(factor.user_id, _hashed(code)):
        return False
    await tx.outbox.announce("customer.recovery_code_used", factor.user_id)
    return True


async def _is_codes_first_use(tx: UnitOfWork, factor: SecondFactor, code: str) -> bool:
    compact = _compact(code)
    if len(compact) != DIGITS:
        return False
    step = step_of(compact, factor.secret, now())
    return step is not None and await tx.second_factors.spend_step(factor.user_id, step)


def _new_recovery_codes() -> list[str]:
    """`k3v7qa-...`: letters and digits of which none looks like another (RFC 4648 §6), in groups to be read out."""
    return [_in_groups(base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()) for _ in range(RECOVERY_CODES)]


def _in_groups(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP)).lower()


def _hashed(code: str) -> bytes:
    return digest(_compact(code))


def _compact(code: str) -> str:
    """As it counts: people type spaces, and hyphens where they see them."""
    return "".join(code.split()).replace("-", "").upper()
