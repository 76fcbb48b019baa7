"""Everything that the shop holds on a person.

One statement for each part, however much there is of it. A test compares the parts with the models, so that a new
table with somebody's data in it cannot be forgotten.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, Table, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models.addresses import SavedAddress
from app.models.base import Base, table_of
from app.models.carts import Cart, CartLine
from app.models.credentials import EmailChange, SecondFactor
from app.models.jobs import Job
from app.models.orders import Order, OrderEvent, OrderLine
from app.models.payments import Payment
from app.models.platform import AuditEntry
from app.models.reviews import Review, ReviewVote
from app.models.users import User, UserSession

Row = dict[str, Any]
_SECRETS = {"password_hash", "refresh_hash", "token_hash", "guest_token_hash", "secret", "provider_ref", "last_step"}


def _columns(model: type[Base]) -> list[ColumnElement[Any]]:
    """All but secrets, which prove who somebody is and say nothing about them."""
    table: Table = table_of(model)
    return [
        cast(column, String).label(column.name) if column.name == "ip" else column
        for column in table.c
        if column.name not in _SECRETS
    ]


def _of(model: type[Base], owner: ColumnElement[Any]) -> Select[Any]:
    return select(*_columns(model)).order_by(*table_of(model).primary_key).where(owner)


class PersonalDataReader:
    """The parts, by the names they have in the export."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of(self, user_id: UUID) -> Mapping[str, Sequence[Row]]:
        return {name: await self._rows(statement) for name, statement in parts(user_id).items()}

    async def _rows(self, statement: Select[Any]) -> list[Row]:
        return [dict(row) for row in (await self._session.execute(statement)).mappings()]


def parts(user_id: UUID) -> dict[str, Select[Any]]:
    own_orders = select(Order.id).where(Order.user_id == user_id).scalar_subquery()
    own_carts = select(Cart.id).where(Cart.user_id == user_id).scalar_subquery()
    return {
        "account": _of(User, User.id == user_id),
        "account_changes": _of(AuditEntry, (AuditEntry.entity == "users") & (AuditEntry.entity_id == user_id)),
        "email_changes": _of(EmailChange, EmailChange.user_id == user_id),
        "second_factor": _of(SecondFactor, SecondFactor.user_id == user_id),
        "sessions": _of(UserSession, UserSession.user_id == user_id),
        "addresses": _of(SavedAddress, SavedAddress.user_id == user_id),
        "carts": _of(Cart, Cart.user_id == user_id),
        "cart_lines": _of(CartLine, CartLine.cart_id.in_(own_carts)),
        "orders": _of(Order, Order.user_id == user_id),
        "order_lines": _of(OrderLine, OrderLine.order_id.in_(own_orders)),
        "order_events": _of(OrderEvent, OrderEvent.order_id.in_(own_orders)),
        "payments": _of(Payment, Payment.order_id.in_(own_orders)),
        "reviews": _of(Review, Review.user_id == user_id),
        "review_votes": _of(ReviewVote, ReviewVote.user_id == user_id),
        "jobs": _of(Job, Job.owner_id == user_id),
    }
