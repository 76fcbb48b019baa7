"""Forgotten passwords, and new ones."""

from datetime import timedelta
from time import monotonic
from uuid import UUID

from app.core.clock import now
from app.core.passwords import PasswordHasher
from app.core.security import digest, new_secret
from app.core.timing import even_out
from app.database import Database, UnitOfWork
from app.errors import TokenExpired, WrongPassword
from app.models.users import OneTimeToken, TokenPurpose, User
from app.services.devices import Device
from app.services.guess_limits import GuessLimits
from app.services.password_rules import refuse_common, refuse_personal
from app.services.principals import Principal
from app.services.reauthentication import Reauthentication
from app.services.registrations import LinkMail
from app.settings import Settings


class PasswordService:
    def __init__(
        self,
        database: Database,
        passwords: PasswordHasher,
        limits: GuessLimits,
        reauthentication: Reauthentication,
        settings: Settings,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._limits = limits
        self._reauthentication = reauthentication
        self._lifetime = timedelta(minutes=settings.password_reset_minutes)

    async def request_reset(self, email: str) -> None:
        """Have a link mailed, if this is somebody's account: in the same time, to the same answer."""
        started = monotonic()
        async with self._database.transaction() as tx:
            may_mail = await self._limits.may_mail(tx, email)
            user = await tx.users.living(email)
            if may_mail and user and user.is_active:
                await tx.outbox.announce("customer.password_reset_requested", user.id)
        await even_out(started)

    async def issue_reset(self, user_id: UUID) -> LinkMail | None:
        """A link that sets a new password, made when its mail is sent. Links issued before end with it."""
        token = new_secret()
        async with self._database.transaction() as tx:
            user = await tx.users.lock(user_id)
            if user is None or not user.is_active:
                return None
            await tx.tokens.cancel(user.id, [TokenPurpose.RESET_PASSWORD])
            await tx.tokens.add(
                OneTimeToken(
                    hash=digest(token),
                    user_id=user.id,
                    purpose=TokenPurpose.RESET_PASSWORD,
                    email=user.email,
                    expires_at=now() + self._lifetime,
                )
            )
        return LinkMail(user.email, user.full_name, token)

    async def is_reset_link(self, token: str) -> bool:
        """Whether `reset` would take the token now."""
        async with self._database.snapshot() as tx:
            return await _addressee(tx, digest(token)) is not None

    async def reset(self, token: str, new_password: str, device: Device) -> None:
        """Set a new password by a link. Every sign-in ends, and so does what was known of devices and networks.

        The network that the link was used from is known now: its owner signs in however many are guessing elsewhere.

        Raises:
            PasswordTooCommon: the link is still good.
            TokenExpired: the link is not good (any more).
        """
        refuse_common(new_password, "/new_password")
        token_hash = digest(token)
        async with self._database.snapshot() as tx:
            known = await _addressee(tx, token_hash)
        if known is None:
            raise TokenExpired
        refuse_personal(new_password, "/new_password", known.email, known.full_name)
        password_hash = await self._passwords.hash(new_password)
        async with self._database.transaction(audited=True) as tx:
            await tx.users.lock(known.id)
            user = await _addressee(tx, token_hash)
            if user is None or not await tx.tokens.spend(token_hash):
                raise TokenExpired
            if user.email_verified_at is None:
                await tx.outbox.announce("customer.verified", user.id)
            await tx.users.set_password(user, password_hash, verified=True)
            await tx.sessions.revoke_all_of(user.id)
            await self._begin_anew(tx, user, self._limits.origins(device)[-1:])

    async def change(self, principal: Principal, password: str, new_password: str, device: Device) -> None:
        """Set a new password by the old one. Every other sign-in ends; this one goes on.

        Raises: `WrongPassword`, `AccountLocked`, `PasswordTooCommon`.
        """
        known = await self._reauthentication.of(principal, password)
        refuse_common(new_password, "/new_password")
        refuse_personal(new_password, "/new_password", known.email, known.full_name)
        password_hash = await self._passwords.hash(new_password)
        async with self._database.transaction(audited=True) as tx:
            user = await tx.users.lock(known.id)
            if user is None or user.password_hash != known.password_hash:
                raise WrongPassword  # changed while we were hashing
            await tx.users.set_password(user, password_hash, verified=False)
            await tx.sessions.revoke_all_of(user.id, keep=principal.session_id)
            await self._begin_anew(tx, user, self._limits.origins(device))

    async def _begin_anew(self, tx: UnitOfWork, user: User, origins: tuple[bytes, ...]) -> None:
        await tx.tokens.cancel(user.id, [TokenPurpose.RESET_PASSWORD])
        await tx.guesses.forget_origins(user.id)
        await tx.guesses.remember_origins(user.id, origins)
        await tx.outbox.announce("customer.password_changed", user.id)


async def _addressee(tx: UnitOfWork, token_hash: bytes) -> User | None:
    """To whom a good link was mailed; nobody when they have another address by now."""
    link = await tx.tokens.find(token_hash, TokenPurpose.RESET_PASSWORD)
    user = await tx.users.by_id(link.user_id) if link else None
    return user if link and user and user.is_active and user.email == link.email else None
