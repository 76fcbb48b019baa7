"""Another e-mail address for an account: asked for here, and confirmed by `RegistrationService.verify_email`."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID

from app.core.clock import now
from app.core.security import digest, new_secret
from app.core.timing import even_out
from app.database import Database
from app.errors import InvalidToken
from app.models.credentials import EmailChange
from app.models.users import OneTimeToken, TokenPurpose
from app.services.guess_limits import GuessLimits
from app.services.principals import Principal
from app.services.reauthentication import Reauthentication
from app.services.registrations import LinkMail
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class AddressTaken:
    """The new address belongs to another account: its owner is told, and whoever asked is not."""

    email: str
    full_name: str


class EmailChangeService:
    def __init__(
        self, database: Database, limits: GuessLimits, reauthentication: Reauthentication, settings: Settings
    ) -> None:
        self._database = database
        self._limits = limits
        self._reauthentication = reauthentication
        self._lifetime = timedelta(hours=settings.verification_hours)

    async def request(self, principal: Principal, new_email: str, password: str) -> None:
        """Have a link mailed to the new address, and a notice to the old one. A request before this one ends.

        Whether the new address is taken is not looked at: that is found out when the mail is written. Nor is it told
        when the address was written to too often. Raises `WrongPassword`, `AccountLocked`.
        """
        started = monotonic()
        await self._reauthentication.of(principal, password)
        async with self._database.transaction() as tx:
            may_mail = await self._limits.may_mail(tx, new_email)
            user = await tx.users.lock(principal.user_id)
            if user is None:
                raise InvalidToken
            await tx.email_changes.cancel(user.id)
            if may_mail and new_email != user.email:
                change = EmailChange(user_id=user.id, old_email=user.email, new_email=new_email)
                await tx.email_changes.add(change)
                for event in ("customer.email_change_requested", "customer.email_change_noticed"):
                    await tx.outbox.announce(event, user.id, change_id=str(change.id))
        await even_out(started)

    async def issue_confirmation(self, change_id: UUID) -> LinkMail | AddressTaken | None:
        """What the new address is to be told; None when nobody waits for it any more."""
        token = new_secret()
        async with self._database.transaction() as tx:
            change = await tx.email_changes.by_id(change_id)
            if change is None or change.confirmed_at is not None:
                return None
            user = await tx.users.by_id(change.user_id)
            if user is None or not user.is_active or user.email != change.old_email:
                return None
            if owner := await tx.users.living(change.new_email):
                return AddressTaken(owner.email, owner.full_name) if owner.is_active else None
            await tx.tokens.add(
                OneTimeToken(
                    hash=digest(token),
                    user_id=user.id,
                    purpose=TokenPurpose.CHANGE_EMAIL,
                    email=change.new_email,
                    expires_at=now() + self._lifetime,
                )
            )
        return LinkMail(change.new_email, user.full_name, token)
