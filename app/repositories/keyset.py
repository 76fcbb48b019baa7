"""The SQL of keyset pagination: start after a row instead of counting rows to skip."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_

Statement = TypeVar("Statement", bound=Select[Any])


def seek(
    statement: Statement,
    *columns: ColumnElement[Any],
    falling: bool,
    after: Sequence[Any] | None,
) -> Statement:
    """Order by the columns, all in one direction, and start after the row that has the values `after`.

    The last column must be unique and none may be NULL. The comparison is of whole rows,
    `(a, b) < (:a, :b)`, which an index on `(a, b)` answers in both directions.
    """
    if after is not None:
        here, there = tuple_(*columns), tuple_(*after)
        statement = statement.where(here < there if falling else here > there)
    return statement.order_by(*(column.desc() if falling else column.asc() for column in columns))
