"""What is known about the request in hand, wherever the code is: its id, its trace, who acts."""

from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

_REQUEST: ContextVar[dict[str, str]] = ContextVar("request")


def begin(**known: str) -> None:
    """A new request: nothing of an earlier one on the same connection remains."""
    _REQUEST.set(known)


def note(**known: str) -> None:
    """Add to what is known about the request."""
    _REQUEST.set(current() | known)


def current() -> dict[str, str]:
    return _REQUEST.get({})


def merge_context(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: the request's id and what else is known, in each line."""
    return {**current(), **event}
