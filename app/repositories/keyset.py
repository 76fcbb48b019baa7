"""The SQL of keyset pagination: start after a row instead of counting rows to skip."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_

Statement = TypeVar("Statement", bound=Select[Any])


def beyond(*columns: ColumnElement[Any], falling: bool, after: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a row comes after the one that has the values `after`.

    The comparison is of whole rows, `(a, b) < (:a, :b)`, which an index on `(a, b)` answers in both directions.
    """
    here, there = tuple_(*columns), tuple_(*after)
    return here < there if falling else here > there


def seek(
    statement: Statement,
    *columns: ColumnElement[Any],
    falling: bool,
    after: Sequence[Any] | None,
) -> Statement:
    """Order by the columns, all in one direction, and start after the row that has the values `after`.

    The last column must be unique and none may be NULL.
    """
    if after is not None:
        statement = statement.where(beyond(*columns, falling=falling, after=after))
    return statement.order_by(*(column.desc() if falling else column.asc() for column in columns))
