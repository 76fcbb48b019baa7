"""How many statements something takes, whether SQLAlchemy or the driver runs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.databases import WITNESSES

_OF_THE_TEST = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")  # outside tests, a transaction's ends


@contextmanager
def count_statements(connection: AsyncConnection) -> Iterator[list[str]]:
    """The statements that ran on the connection meanwhile: `with count_statements(connection) as statements:`."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(_OF_THE_TEST):
            statements.append(statement)

    witnesses = connection.info.setdefault(WITNESSES, [])
    witnesses.append(statements)
    event.listen(connection.sync_connection, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(connection.sync_connection, "before_cursor_execute", note)
        witnesses.remove(statements)
