"""Signing in, staying signed in and signing out (domain rule 10)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
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
    EmailNotVerified,
    InvalidCredentials,
    InvalidScope,
    InvalidSecondFactor,
    InvalidToken,
    SecondFactorRequired,
    ShopError,
    TokenReused,
)
from app.models.scopes import granted
from app.models.users import User, UserSession
from app.services.carts import CartService
from app.services.devices import Device
from app.services.guess_limits import GuessLimits, Limit
from app.services.principals import Principal
from app.services.second_factors import accepts
from app.settings import Settings

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in or a refresh answers with: RFC 6749 §5.1. `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    refresh_token: str
    scope: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6750's name


@dataclass(frozen=True, slots=True)
class SignIn:
    """What somebody signs in with. `scope` is what they ask for, separated by spaces; empty asks for everything."""

    email: str
    password: str
    otp: str | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`device_secret` is what the device shows at its next sign-in, to be known again."""

    tokens: TokenPair
    device_secret: str


class AuthService:
    def __init__(
        self,
        database: Database,
        passwords: PasswordHasher,
        tokens: AccessTokens,
        limits: GuessLimits,
        carts: CartService,
        settings: Settings,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._limits = limits
        self._carts = carts
        self._refresh_lifetime = timedelta(days=settings.refresh_token_days)

    async def sign_in(self, attempt: SignIn, device: Device, cart_token: str | None = None) -> SignedIn:
        """Begin a session, and take a guest's cart along.

        Raises:
            InvalidCredentials: for a wrong password, and in the same time for an account that does not exist.
            AccountLocked: after too many guesses, whatever the password and whether or not there is an account.
            EmailNotVerified, SecondFactorRequired, InvalidSecondFactor, InvalidScope: only after a right password.
        """
        started = monotonic()
        try:
            user_id, signed_in = await self._authenticate(attempt, device)
        except ShopError as refusal:
            SIGN_INS.labels(refusal.code).inc()
            await even_out(started)
            raise
        SIGN_INS.labels("succeeded").inc()
        if cart_token:
            await self._merge_cart(user_id, cart_token)
        return signed_in

    async def refresh(self, refresh_token: str, device: Device) -> TokenPair:
        """Swap a refresh token for the next of its family.

        A token that comes back after its use was stolen, or its successor was: `TokenReused`, and the family ends.
        Within a few seconds it is rather a second tab, which gets a successor of its own.
        """
        used, successor_id, secret = digest(refresh_token), uuid7(), new_secret()
        async with self._database.transaction() as tx:
            token = await tx.sessions.rotate(used, successor_id) or await tx.sessions.just_rotated(used)
            if token:
                role = await tx.users.role_in_session(token.user_id, token.family_id)
                if role is None:
                    raise InvalidToken
                await tx.sessions.add(
                    UserSession(
                        id=successor_id,
                        user_id=token.user_id,
                        family_id=token.family_id,
                        scope=token.scope,
                        refresh_hash=digest(secret),
                        ip=device.ip,
                        user_agent=device.user_agent,
                        expires_at=token.expires_at,  # a family's end is fixed: a rotation does not prolong it
                    )
                )
                return self._pair(token.user_id, token.family_id, granted(role, token.scope or ""), secret)
            reused = await tx.sessions.revoke_family_of_used(used)
        if not reused:
            raise InvalidToken
        logger.warning("a refresh token came back after its use: its family is revoked")
        raise TokenReused

    async def sign_out(self, principal: Principal) -> None:
        """End this session: its access tokens and its refresh tokens are worthless from now on."""
        async with self._database.transaction() as tx:
            await tx.sessions.revoke(principal.session_id)

    async def _authenticate(self, attempt: SignIn, device: Device) -> tuple[UUID, SignedIn]:
        async with self._database.snapshot() as tx:
            known = await tx.users.living(attempt.email)
            familiar = await tx.guesses.known_origins(attempt.email, self._limits.origins(device))
            limits = self._limits.of_passwords(attempt.email, device, familiar)
            await self._limits.refuse_beyond(tx, limits)
        matches = await self._passwords.verify(attempt.password, known.password_hash if known else None)
        if known is None or not known.is_active or not matches:
            await self._limits.count(limits)
            raise InvalidCredentials

        code_limits = self._limits.of_codes(attempt.email, device, familiar)
        async with self._database.transaction() as tx:
            user = await tx.users.lock(known.id)
            if user is None or not user.is_active or user.password_hash != known.password_hash:
                raise InvalidCredentials  # changed while we were hashing
            await self._limits.refuse_beyond(tx, limits)  # guesses that ran beside this one have used them up
            if user.email_verified_at is None:
                raise EmailNotVerified
            scope = granted(user.role, attempt.scope)
            if not scope:
                raise InvalidScope
            passed = await self._passes_second_factor(tx, user, attempt.otp, code_limits)
            signed_in = await self._begin(tx, user, attempt.scope, scope, device, familiar) if passed else None
        if signed_in is None:
            await self._limits.count(code_limits)
            raise InvalidSecondFactor
        return user.id, signed_in

    async def _passes_second_factor(self, tx: UnitOfWork, user: User, otp: str | None, limits: Sequence[Limit]) -> bool:
        factor = await tx.second_factors.confirmed(user.id)
        if factor is None:
            return True
        if otp is None:
            raise SecondFactorRequired
        await self._limits.refuse_beyond(tx, limits)
        return await accepts(tx, factor, otp)

    async def _begin(
        self, tx: UnitOfWork, user: User, asked: str, scope: str, device: Device, familiar: Collection[bytes]
    ) -> SignedIn:
        secret, family_id = new_secret(), uuid7()
        await tx.sessions.add(
            UserSession(
                id=family_id,
                user_id=user.id,
                family_id=family_id,
                scope=asked or None,
                refresh_hash=digest(secret),
                ip=device.ip,
                user_agent=device.user_agent,
                expires_at=now() + self._refresh_lifetime,
            )
        )
        device_secret = await self._remember(tx, user, device, familiar)
        return SignedIn(self._pair(user.id, family_id, scope, secret), device_secret)

    async def _remember(self, tx: UnitOfWork, user: User, device: Device, familiar: Collection[bytes]) -> str:
        """Know the device and its network again. A secret that we did not give to it for this account is replaced."""
        known = device.secret if device.secret and self._limits.origins(device)[0] in familiar else None
        secret = known or new_secret()
        await tx.guesses.remember_origins(user.id, self._limits.origins(replace(device, secret=secret)))
        return secret

    async def _merge_cart(self, user_id: UUID, cart_token: str) -> None:
        try:
            await self._carts.merge(user_id, cart_token)
        except Exception:
            logger.exception("a guest's cart could not be merged; the sign-in goes on without it")

    def _pair(self, user_id: UUID, family_id: UUID, scope: str, secret: str) -> TokenPair:
        return TokenPair(
            access_token=self._tokens.issue(user_id, family_id, scope),
            expires_in=int(self._tokens.lifetime.total_seconds()),
            refresh_token=secret,
            scope=scope,
        )
