"""Edits by compare-and-set: an edit succeeds only on the version that the editor has seen (RFC 9110 §13.1.1)."""

from typing import TypeVar
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.conditional import Versions
from app.errors import NotFound, PreconditionFailed
from app.models.categories import Category
from app.models.products import Product, Variant

Row = TypeVar("Row", Category, Product, Variant)


async def claim(session: AsyncSession, model: type[Row], identity: UUID, seen: Versions) -> Row:
    """The row, its version counted up, locked until the end of the transaction.

    Raises:
        NotFound: there is no such row.
        PreconditionFailed: it is at another version.
    """
    statement = update(model).where(model.id == identity).values(version=model.version + 1).returning(model)
    if seen is not None:
        statement = statement.where(model.version.in_(seen))
    claimed = await session.scalars(statement, execution_options={"populate_existing": True})
    row = claimed.one_or_none()
    if row is None:
        raise NotFound if await session.get(model, identity) is None else PreconditionFailed
    return row
