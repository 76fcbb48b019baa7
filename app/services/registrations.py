"""Opening an account and confirming its e-mail address (domain rule 10)."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID

from app.core.clock import now
from app.core.passwords import PasswordHasher
from app.core.security import digest, new_secret
from app.core.timing import even_out
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import TokenExpired
from app.models.users import OneTimeToken, TokenPurpose, User
from app.schemas.auth import UserCreate
from app.services.guess_limits import GuessLimits
from app.services.password_rules import refuse_common, refuse_personal
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class LinkMail:
    """What a mail with a link needs. The token exists in clear only here and in the mail."""

    email: str
    full_name: str
    token: str


class RegistrationService:
    def __init__(self, database: Database, passwords: PasswordHasher, limits: GuessLimits, settings: Settings) -> None:
        self._database = database
        self._passwords = passwords
        self._limits = limits
        self._lifetime = timedelta(hours=settings.verification_hours)

    async def register(self, data: UserCreate) -> None:
        """Open an account, or remind its owner that there is one: in the same time, to the same answer.

        Raises `PasswordTooCommon`, which is decided without a look at who has an account.
        """
        refuse_common(data.password, "/password")
        refuse_personal(data.password, "/password", data.email, data.full_name)
        started = monotonic()
        password_hash = await self._passwords.hash(data.password)
        async with self._database.transaction(audited=True) as tx:
            may_mail = await self._limits.may_mail(tx, data.email)
            user_id = await tx.users.register(email=data.email, password_hash=password_hash, full_name=data.full_name)
            owner = await tx.users.living(data.email)
            if user_id:
                await tx.outbox.announce("customer.registered", user_id)
            elif may_mail and owner and owner.is_active:
                event = "customer.registered_again" if owner.email_verified_at else "customer.verification_requested"
                await tx.outbox.announce(event, owner.id)
        await even_out(started)

    async def request_verification(self, email: str) -> None:
        """Have the confirmation link mailed again, if this is an account that waits for it."""
        started = monotonic()
        async with self._database.transaction() as tx:
            may_mail = await self._limits.may_mail(tx, email)
            user = await tx.users.living(email)
            if may_mail and user and user.is_active and user.email_verified_at is None:
                await tx.outbox.announce("customer.verification_requested", user.id)
        await even_out(started)

    async def issue_email_verification(self, user_id: UUID) -> LinkMail | None:
        """A new confirmation link, made when its mail is sent so that no event carries a secret.

        None when nobody waits for it any more. Links issued before keep working until they expire: a mail that was
        sent twice must not contain a dead one.
        """
        token = new_secret()
        async with self._database.transaction() as tx:
            user = await tx.users.by_id(user_id)
            if user is None or not user.is_active or user.email_verified_at is not None:
                return None
            await tx.tokens.add(
                OneTimeToken(
                    hash=digest(token),
                    user_id=user.id,
                    purpose=TokenPurpose.VERIFY_EMAIL,
                    email=user.email,
                    expires_at=now() + self._lifetime,
                )
            )
        return LinkMail(user.email, user.full_name, token)

    @retried_on_conflict
    async def verify_email(self, token: str) -> None:
        """Confirm the address that the link was mailed to: of a new account, or one that replaces another.

        Raises:
            TokenExpired: the link is not good (any more).
            EmailTaken: somebody else has registered the new address meanwhile.
        """
        token_hash = digest(token)
        async with self._database.transaction(audited=True) as tx:
            link = await tx.tokens.find(token_hash, TokenPurpose.VERIFY_EMAIL, TokenPurpose.CHANGE_EMAIL)
            user = await tx.users.lock(link.user_id) if link else None
            if link is None or user is None or not user.is_active or not await tx.tokens.spend(token_hash):
                raise TokenExpired
            if link.purpose == TokenPurpose.CHANGE_EMAIL:
                await _change_address(tx, user, link.email)
            elif link.email != user.email:
                raise TokenExpired
            elif await tx.users.confirm_email(user.id):
                await tx.outbox.announce("customer.verified", user.id)


async def _change_address(tx: UnitOfWork, user: User, new_email: str | None) -> None:
    """Links that were mailed to the old address end: whoever reads it has no say in this account any more."""
    change_id = await tx.email_changes.confirm(user.id, old_email=user.email, new_email=new_email)
    if change_id is None or new_email is None:
        raise TokenExpired
    await tx.users.change_email(user, new_email)
    await tx.tokens.cancel(user.id, (TokenPurpose.RESET_PASSWORD, TokenPurpose.VERIFY_EMAIL))
    await tx.outbox.announce("customer.email_changed", user.id, change_id=str(change_id))
