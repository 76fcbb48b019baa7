"""The small base that runs statements; the domain's names live in the subclasses."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Update, false, literal
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.models.base import Base

Model = TypeVar("Model", bound=Base)
Value = TypeVar("Value")


def owned_by(
    user_column: InstrumentedAttribute[UUID | None],
    user_id: UUID | None,
    hash_column: InstrumentedAttribute[bytes | None],
    token_hash: bytes | None,
) -> ColumnElement[bool]:
    """The condition that a row is this customer's, or belongs to the guest with this token.

    Somebody who is neither owns nothing: comparing a column with None would ask for IS NULL, and find the rows of
    everybody who owns theirs in the other way.
    """
    if user_id is not None:
        return user_column == user_id
    if token_hash is not None:
        return hash_column == token_hash
    return false()


class Repository:
    """Runs statements on one session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def _one_or_none(self, statement: Select[Value]) -> Value | None:
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def _all(self, statement: Select[Value]) -> Sequence[Value]:
        return (await self._session.execute(statement)).scalars().all()

    async def _moved(self, statement: Update) -> bool:
        """Whether a conditional UPDATE found its row in the expected state. Loaded objects are left as they were."""
        statement = statement.execution_options(synchronize_session=False)
        returned = await self._session.execute(statement.returning(literal(1)))
        return returned.first() is not None


class ModelRepository(Repository, Generic[Model]):
    """Adds rows of one model; `add` flushes, so a broken constraint appears on the line that caused it."""

    model: type[Model]

    async def add(self, row: Model) -> None:
        self._session.add(row)
        await self._session.flush()

    async def add_all(self, rows: Iterable[Model]) -> None:
        self._session.add_all(rows)
        await self._session.flush()

    async def flush(self) -> None:
        """Write what was changed on loaded rows, so that the next statement sees it."""
        await self._session.flush()

    async def by_id(self, identity: UUID, *options: Any) -> Model | None:
        return await self._session.get(self.model, identity, options=options)
