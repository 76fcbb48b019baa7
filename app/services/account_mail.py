"""Mails about somebody's account: links that work once, and what an owner has to hear of (OWASP ASVS 5.0 §6.3.7)."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from app.database import Database
from app.services.email_changes import AddressTaken, EmailChangeService
from app.services.mail import Letter, MailService
from app.services.passwords import PasswordService
from app.services.registrations import LinkMail, RegistrationService

# What is told of an event, and below which subject.
NOTICES = {
    "customer.password_changed": (
        "Your password was changed",
        "The password of your account was changed, and every other device was signed out.",
    ),
    "customer.second_factor_enabled": (
        "Your second factor is on",
        "From now on, signing in to your account takes a code of your authenticator app.",
    ),
    "customer.second_factor_disabled": (
        "Your second factor is off",
        "Signing in to your account takes no code of an authenticator app any more.",
    ),
    "customer.recovery_code_used": (
        "A recovery code was used",
        "One of the recovery codes of your account was used instead of your authenticator app, and is spent now.",
    ),
}


class AccountMailService:
    def __init__(
        self,
        database: Database,
        mail: MailService,
        registrations: RegistrationService,
        passwords: PasswordService,
        email_changes: EmailChangeService,
    ) -> None:
        self._database = database
        self._mail = mail
        self._registrations = registrations
        self._passwords = passwords
        self._email_changes = email_changes

    async def confirm_address(self, event_id: UUID, user_id: UUID) -> None:
        """Mail the link that confirms an e-mail address."""
        issue = self._link(self._registrations.issue_email_verification, user_id, "Confirm your e-mail address")
        await self._mail.deliver(event_id, "verification", issue)

    async def remind_of_account(self, event_id: UUID, user_id: UUID) -> None:
        """Tell somebody who registered again that they have an account."""
        await self._to_owner(event_id, "account_exists", user_id, "You already have an account")

    async def reset_password(self, event_id: UUID, user_id: UUID) -> None:
        """Mail the link that sets a new password."""
        issue = self._link(self._passwords.issue_reset, user_id, "Set a new password")
        await self._mail.deliver(event_id, "password_reset", issue)

    async def tell_owner(self, event_id: UUID, user_id: UUID, event_type: str) -> None:
        """Tell somebody of one of the `NOTICES`."""
        subject, notice = NOTICES[event_type]
        await self._to_owner(event_id, "security_notice", user_id, subject, notice=notice)

    async def confirm_new_address(self, event_id: UUID, change_id: UUID) -> None:
        """Mail the link that confirms another address, or tell its owner that somebody else wants it."""

        async def write() -> Letter | None:
            mail = await self._email_changes.issue_confirmation(change_id)
            match mail:
                case LinkMail():
                    return Letter(mail.email, "Confirm your new e-mail address", {"mail": mail})
                case AddressTaken():
                    subject = "Somebody asked for your e-mail address"
                    return Letter(mail.email, subject, {"user": mail}, "email_taken")
            return None

        await self._mail.deliver(event_id, "email_change", write)

    async def tell_old_address(self, event_id: UUID, change_id: UUID) -> None:
        """Tell the address that an account has, or had, that it is to be replaced, or was."""

        async def write() -> Letter | None:
            async with self._database.snapshot() as tx:
                change = await tx.email_changes.by_id(change_id)
                user = await tx.users.by_id(change.user_id) if change else None
            if change is None or user is None:
                return None
            done = change.confirmed_at is not None
            subject = "Your e-mail address was changed" if done else "Your e-mail address is to be changed"
            return Letter(change.old_email, subject, {"user": user, "done": done})

        await self._mail.deliver(event_id, "email_change_notice", write)

    def _link(
        self, issue: Callable[[UUID], Awaitable[LinkMail | None]], user_id: UUID, subject: str
    ) -> Callable[[], Awaitable[Letter | None]]:
        async def write() -> Letter | None:
            mail = await issue(user_id)
            return Letter(mail.email, subject, {"mail": mail}) if mail else None

        return write

    async def _to_owner(self, event_id: UUID, template: str, user_id: UUID, subject: str, **context: str) -> None:
        async def write() -> Letter | None:
            async with self._database.snapshot() as tx:
                user = await tx.users.by_id(user_id)
            return Letter(user.email, subject, {"user": user, **context}) if user and user.is_active else None

        await self._mail.deliver(event_id, template, write)
