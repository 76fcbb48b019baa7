"""What is deleted of a person, and what is only made anonymous (docs/decisions/0014-deleted-accounts.md)."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import Column, Table, delete, exists, func, null, select, text, update

from app.models import Base
from app.models.base import table_of
from app.models.carts import Cart
from app.models.orders import Order, OrderStatus
from app.models.platform import AuditEntry, IdempotencyKey
from app.models.users import Role, User, UserStatus
from app.repositories.base import ModelRepository

NAME = "Anonymous"
AT_REST = (OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
_NOWHERE = "anonymised.invalid"  # RFC 2606 §2: no mail ever gets there
_PERSONAL = "CAST('{email,full_name,phone}' AS text[])"  # as the trigger on audit_log has them (migration 0010)


def placeholder(user_id: UUID) -> str:
    """The e-mail address of somebody whose account is deleted."""
    return f"{user_id}@{_NOWHERE}"


class ForgettingRepository(ModelRepository[Order]):
    model = Order

    async def anonymise(self, user: User) -> None:
        """Of the account its row is left, to which orders and stock movements refer."""
        user.email, user.full_name, user.phone = placeholder(user.id), NAME, None
        user.password_hash, user.email_verified_at = "none", None
        user.role, user.status = Role.CUSTOMER, UserStatus.ANONYMISED
        user.version += 1
        await self._session.flush()

    async def delete_belongings(self, user_id: UUID) -> None:
        """Whatever PostgreSQL would delete along with the account, but the carts that orders came from."""
        for table, owner in _belongings():
            deleting = delete(table).where(owner == user_id)
            if table is table_of(Cart):
                deleting = deleting.where(~exists().where(Order.cart_id == table.c.id))
            await self._session.execute(deleting)
        await self._session.execute(
            update(table_of(Cart)).where(Cart.user_id == user_id).values(shipping_address=null())
        )

    async def redact_log(self, user_id: UUID) -> None:
        """The log goes on saying when what was changed, and by whom, but not what it was."""
        log = table_of(AuditEntry)
        await self._session.execute(
            update(log)
            .where(log.c.entity == "users", log.c.entity_id == user_id)
            .values(
                old=log.c.old.op("-")(text(_PERSONAL)),
                new=log.c.new.op("-")(text(_PERSONAL)),
            )
        )

    async def delete_answers(self, user_id: UUID) -> None:
        """The answers that were kept for repeated requests."""
        keys = table_of(IdempotencyKey)
        await self._session.execute(delete(keys).where(keys.c.scope.startswith(f"user:{user_id} ")))

    async def lock_orders_at_rest(self, limit: int) -> Sequence[Order]:
        """Orders of deleted accounts that are over, and still say whose they were."""
        return await self._all(
            select(Order)
            .join(User, User.id == Order.user_id)
            .where(
                User.status == UserStatus.ANONYMISED,
                Order.status.in_(AT_REST),
                Order.email != func.concat(User.id, f"@{_NOWHERE}"),
            )
            .order_by(Order.id)
            .limit(limit)
            .with_for_update(of=Order, skip_locked=True)
        )


def _belongings() -> Iterator[tuple[Table, Column[UUID]]]:
    for table in Base.metadata.sorted_tables:
        for reference in table.foreign_keys:
            if reference.column.table is table_of(User) and reference.ondelete == "CASCADE":
                yield table, reference.parent
