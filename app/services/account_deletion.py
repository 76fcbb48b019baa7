"""An account is deleted, and the books stay (GDPR, articles 5 and 17; docs/decisions/0014-deleted-accounts.md)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.clock import now
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import InvalidToken, LastAdmin, ReauthenticationRequired
from app.models.orders import Order, PaymentStatus
from app.models.users import Role, User
from app.repositories.forgetting import NAME, placeholder
from app.services.principals import Principal
from app.services.reauthentication import Reauthentication

JUST_NOW = timedelta(minutes=5)
BATCH = 100
SOLD = (PaymentStatus.PAID, PaymentStatus.REFUNDED)
_BLANK = "-"


class AccountDeletionService:
    """At once: nobody can sign in, nothing personal is shown, the e-mail address is free again.

    The worker does the rest, which may be much: answers kept for repetitions, and orders that are over. An order that
    is still on its way needs its address; `tidy_up` comes back for it by the clock.
    """

    def __init__(self, database: Database, reauthentication: Reauthentication) -> None:
        self._database = database
        self._reauthentication = reauthentication

    async def delete(self, principal: Principal, password: str | None) -> None:
        """Delete the principal's account.

        Raises:
            ReauthenticationRequired: there is no password, and the sign-in is not of this moment.
            WrongPassword, AccountLocked: see `Reauthentication`.
            LastAdmin: nobody would be left to administer the shop.
        """
        if password is not None:
            await self._reauthentication.of(principal, password)
        elif not await self._has_just_signed_in(principal):
            raise ReauthenticationRequired
        await self._delete(principal)

    @retried_on_conflict
    async def _delete(self, principal: Principal) -> None:
        async with self._database.transaction(audited=True) as tx:
            admins = await tx.accounts.lock_admins() if principal.role == Role.ADMIN else []
            user = await tx.users.lock(principal.user_id)
            if user is None or not user.is_active:
                raise InvalidToken
            if list(admins) == [user.id]:
                raise LastAdmin
            await _forget(tx, user)
            await tx.outbox.announce("customer.deleted", user.id)

    @retried_on_conflict
    async def finish(self, user_id: UUID) -> None:
        """What the deletion left for later, and what a request wrote that was under way just then."""
        async with self._database.transaction() as tx:
            await tx.forgetting.delete_belongings(user_id)
            await tx.forgetting.delete_answers(user_id)
        while await self.tidy_up():
            pass

    @retried_on_conflict
    async def tidy_up(self) -> int:
        """Take whose they were out of orders that are over by now; returns how many, at most a batch."""
        async with self._database.transaction() as tx:
            orders = await tx.forgetting.lock_orders_at_rest(BATCH)
            for order in orders:
                _make_anonymous(order)
            await tx.forgetting.flush()
            return len(orders)

    async def _has_just_signed_in(self, principal: Principal) -> bool:
        async with self._database.snapshot() as tx:
            session = await tx.sessions.by_id(principal.session_id)
        return session is not None and session.created_at > now() - JUST_NOW


async def _forget(tx: UnitOfWork, user: User) -> None:
    await tx.forgetting.anonymise(user)
    await tx.forgetting.delete_belongings(user.id)
    await tx.forgetting.redact_log(user.id)


def _make_anonymous(order: Order) -> None:
    """An invoice names whom it is for; all else is needed no more once the order is over."""
    if order.user_id is not None:
        order.email = placeholder(order.user_id)
    order.notes = None
    sold = order.payment_status in SOLD
    order.billing_address = {**order.billing_address, "phone": None} if sold else _nobody(order.billing_address)
    order.shipping_address = _nobody(order.shipping_address)


def _nobody(address: dict[str, Any]) -> dict[str, Any]:
    """The country and the postal code: where the tax was due has to be shown for ten years."""
    kept = {name: address[name] for name in ("postal_code", "country")}
    return {"full_name": NAME, "line1": _BLANK, "line2": None, "city": _BLANK, "region": None, **kept, "phone": None}
