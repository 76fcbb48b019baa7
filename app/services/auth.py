"""Registration, e-mail confirmation, sign-in and staying signed in (domain rule 10)."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Literal
from uuid import UUID

from app.core.clock import now
from app.core.ids import uuid7
from app.core.logging import get_logger
from app.core.metrics import SIGN_INS
from app.core.passwords import PasswordHasher
from app.core.security import AccessTokens, digest, new_secret
from app.core.timing import even_out
from app.database import Database, UnitOfWork
from app.errors import (
    AccountLocked,
    EmailNotVerified,
    InvalidCredentials,
    InvalidToken,
    ShopError,
    TokenExpired,
    TokenReused,
)
from app.models.users import OneTimeToken, TokenPurpose, User, UserSession
from app.schemas.auth import UserCreate
from app.services.carts import CartService
from app.services.principals import Principal
from app.settings import Settings

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """From where somebody signs in."""

    ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in or a refresh answers with: RFC 6749 §5.1. `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    refresh_token: str
    scope: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6750's name


@dataclass(frozen=True, slots=True)
class VerificationMail:
    """What the mail with the confirmation link needs. The token exists in clear only here and in the mail."""

    email: str
    full_name: str
    token: str


class AuthService:
    def __init__(
        self,
        database: Database,
        passwords: PasswordHasher,
        tokens: AccessTokens,
        carts: CartService,
        settings: Settings,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._carts = carts
        self._refresh_lifetime = timedelta(days=settings.refresh_token_days)
        self._verification_lifetime = timedelta(hours=settings.verification_hours)

    # Registration and the e-mail address

    async def register(self, data: UserCreate) -> None:
        """Open an account, or remind its owner that there is one: in the same time, to the same answer."""
        started = monotonic()
        password_hash = await self._passwords.hash(data.password)
        async with self._database.transaction(audited=True) as tx:
            user_id = await tx.users.register(email=data.email, password_hash=password_hash, full_name=data.full_name)
            if user_id:
                await tx.outbox.announce("customer.registered", user_id)
            else:
                await _remind(tx, data.email)
        await even_out(started)

    async def request_verification(self, email: str) -> None:
        """Have the confirmation link mailed again, if this is an account that waits for it."""
        started = monotonic()
        async with self._database.transaction() as tx:
            user = await tx.users.living(email)
            if user and user.is_active and user.email_verified_at is None:
                await tx.outbox.announce("customer.verification_requested", user.id)
        await even_out(started)

    async def issue_email_verification(self, user_id: UUID) -> VerificationMail | None:
        """A new confirmation link, made when its mail is sent so that no event carries a secret.

        None when nobody waits for it any more. Links issued before keep working until they expire: a mail that was
        sent twice must not contain a dead one.
        """
        token = new_secret()
        async with self._database.transaction() as tx:
            user = await tx.users.by_id(user_id)
            if user is None or not user.is_active or user.email_verified_at is not None:
                return None
            await tx.users.add_token(
                OneTimeToken(
                    hash=digest(token),
                    user_id=user.id,
                    purpose=TokenPurpose.VERIFY_EMAIL,
                    expires_at=now() + self._verification_lifetime,
                )
            )
        return VerificationMail(user.email, user.full_name, token)

    async def verify_email(self, token: str) -> None:
        """Confirm the address that the link was mailed to. `TokenExpired` when the link is not good (any more)."""
        async with self._database.transaction(audited=True) as tx:
            user_id = await tx.users.spend_token(digest(token), TokenPurpose.VERIFY_EMAIL)
            if user_id is None:
                raise TokenExpired
            if await tx.users.confirm_email(user_id):
                await tx.outbox.announce("customer.verified", user_id)

    # Signing in, staying signed in, signing out

    async def sign_in(self, email: str, password: str, device: Device, cart_token: str | None = None) -> TokenPair:
        """Begin a session, and take a guest's cart along.

        Raises `InvalidCredentials`; `EmailNotVerified` only after a right password; `AccountLocked` after too many
        wrong ones, whatever the password, so that the lock does not tell which guess was right.
        """
        started = monotonic()
        try:
            user, pair = await self._authenticate(email, password, device)
        except ShopError as refusal:
            SIGN_INS.labels(refusal.code).inc()
            await even_out(started)
            raise
        SIGN_INS.labels("succeeded").inc()
        if cart_token:
            await self._merge_cart(user.id, cart_token)
        return pair

    async def refresh(self, refresh_token: str, device: Device) -> TokenPair:
        """Swap a refresh token for the next of its family.

        A token that comes back after its use was stolen, or its successor was: `TokenReused`, and the family ends.
        Within a few seconds it is rather a second tab, which gets a successor of its own.
        """
        used, successor_id, secret = digest(refresh_token), uuid7(), new_secret()
        async with self._database.transaction() as tx:
            token = await tx.users.rotate(used, successor_id) or await tx.users.just_rotated(used)
            if token:
                role = await tx.users.role_in_session(token.user_id, token.family_id)
                if role is None:
                    raise InvalidToken
                await tx.users.start_session(
                    UserSession(
                        id=successor_id,
                        user_id=token.user_id,
                        family_id=token.family_id,
                        refresh_hash=digest(secret),
                        ip=device.ip,
                        user_agent=device.user_agent,
                        expires_at=token.expires_at,  # a family's end is fixed: a rotation does not prolong it
                    )
                )
                return self._pair(token.user_id, token.family_id, role, secret)
            reused = await tx.users.revoke_family_of_used(used)
        if not reused:
            raise InvalidToken
        logger.warning("a refresh token came back after its use: its family is revoked")
        raise TokenReused

    async def sign_out(self, principal: Principal) -> None:
        """End this session: its access tokens and its refresh tokens are worthless from now on."""
        async with self._database.transaction() as tx:
            await tx.users.revoke_family(principal.session_id)

    async def _authenticate(self, email: str, password: str, device: Device) -> tuple[User, TokenPair]:
        async with self._database.snapshot() as tx:
            known = await tx.users.living(email)
        matches = await self._passwords.verify(password, known.password_hash if known else None)
        if known is None:
            raise InvalidCredentials
        if not matches:
            await self._count_failure(known.id)
            raise InvalidCredentials
        secret, family_id = new_secret(), uuid7()
        async with self._database.transaction(audited=True) as tx:
            user = await tx.users.lock(known.id)
            if user is None or user.password_hash != known.password_hash:
                raise InvalidCredentials  # changed while we were hashing
            if user.is_locked(now()):
                raise AccountLocked
            if not user.is_active:
                raise InvalidCredentials
            if user.email_verified_at is None:
                raise EmailNotVerified
            user.failed_logins, user.locked_until = 0, None
            await tx.users.start_session(
                UserSession(
                    id=family_id,
                    user_id=user.id,
                    family_id=family_id,
                    refresh_hash=digest(secret),
                    ip=device.ip,
                    user_agent=device.user_agent,
                    expires_at=now() + self._refresh_lifetime,
                )
            )
        return user, self._pair(user.id, family_id, user.role, secret)

    async def _count_failure(self, user_id: UUID) -> None:
        """Guesses that run at the same time are counted one by one: no more than allowed learn that they were wrong."""
        async with self._database.transaction(audited=True) as tx:
            counted = await tx.users.count_failed_sign_in(user_id)
        if not counted:
            raise AccountLocked

    async def _merge_cart(self, user_id: UUID, cart_token: str) -> None:
        try:
            await self._carts.merge(user_id, cart_token)
        except Exception:
            logger.exception("a guest's cart could not be merged; the sign-in goes on without it")

    def _pair(self, user_id: UUID, family_id: UUID, role: str, secret: str) -> TokenPair:
        return TokenPair(
            access_token=self._tokens.issue(user_id, family_id, role),
            expires_in=int(self._tokens.lifetime.total_seconds()),
            refresh_token=secret,
            scope=role,
        )


async def _remind(tx: UnitOfWork, email: str) -> None:
    """Tell the owner of an address that somebody registered it again: nobody else learns that it has an account."""
    owner = await tx.users.living(email)
    if owner and owner.is_active:
        event = "customer.registered_again" if owner.email_verified_at else "customer.verification_requested"
        await tx.outbox.announce(event, owner.id)
