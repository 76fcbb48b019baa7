"""What an error of the database means to whoever asked: come back later, it collides, or a defect of ours.

Errors are not wrapped alike. A refused connection is a bare OSError, a time-out a TimeoutError, and most of what the
server says a plain DBAPIError; so what counts is PostgreSQL's own five-character code (its manual, appendix A).
"""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import Conflict, ServiceUnavailable, ShopError, ValidationFailed

DATABASE_ERRORS = (DBAPIError, asyncpg.PostgresError)  # a session's, and a short transaction's
CONFLICTING_TRANSACTIONS = {"40001", "40P01"}  # serialisation failure, deadlock: tried again, see database.py
LOCK_NOT_AVAILABLE = "55P03"  # after two seconds of waiting; whoever asked may wait longer, a connection may not
DISK_FULL = "53100"

_READ_ONLY = "25006"  # this server became a standby, and the new primary is still to be found
_COLLIDES = {"23503", "23505", "23514", "23P01"}  # foreign key, unique, check, exclusion
# Too long, out of range, no such time, not text in UTF-8: what a schema should not have let pass.
_VALIDATION_GAP = {"22001", "22003", "22007", "22008", "22021", "22P02", "22P05"}
# Lost connections, lack of resources, an operator at work (a cancelled statement too), a failing system.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
_UNAVAILABLE = {*CONFLICTING_TRANSACTIONS, LOCK_NOT_AVAILABLE, _READ_ONLY}


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code behind an error, if there is one."""
    return getattr(getattr(error, "orig", error), "sqlstate", None)


def constraint(error: BaseException) -> str | None:
    """The broken constraint's name, which only asyncpg's own exception carries."""
    return getattr(getattr(getattr(error, "orig", None), "__cause__", None) or error, "constraint_name", None)


def as_shop_error(error: Exception) -> ShopError | None:
    """The refusal that a database error stands for; None when it is a defect of ours."""
    if isinstance(error, PoolTimeout | OSError | TimeoutError | InterfaceError | asyncpg.InternalClientError):
        return ServiceUnavailable()
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):  # those are values of ours
        return ServiceUnavailable()
    code = sqlstate(error) or ""
    if code in _UNAVAILABLE or code.startswith(_UNAVAILABLE_CLASSES):
        return ServiceUnavailable()
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return ServiceUnavailable()
    if code in _COLLIDES:
        return Conflict()
    return ValidationFailed() if code in _VALIDATION_GAP else None
