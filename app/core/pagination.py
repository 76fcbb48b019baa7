"""Keyset pagination: a page starts after the last row seen, so page 4 500 costs what page 1 costs."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.core.security import derive_key

Row = TypeVar("Row")
_SIGNATURE_BYTES = 16


class CursorError(Exception):
    """The cursor was not signed here, or was signed for another query."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: the sort values of a row, and whether to read towards the start."""

    values: tuple[Any, ...]
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: Sequence[Row]
    limit: int
    next_cursor: str | None
    prev_cursor: str | None
    total: int | None = None

    @property
    def has_more(self) -> bool:
        return self.next_cursor is not None


class CursorSigner:
    """Turns positions into opaque cursors, signed and bound to the query (sort and filters) they came from."""

    def __init__(self, secret: str) -> None:
        self._key = derive_key(secret, "cursor")

    def sign(self, position: Position, query: Mapping[str, Any]) -> str:
        place = [position.values, position.backwards]
        payload = json.dumps(place, default=str, ensure_ascii=False, separators=(",", ":")).encode()  # short
        return base64.urlsafe_b64encode(self._signature(payload, query) + payload).rstrip(b"=").decode()

    def read(self, cursor: str | None, query: Mapping[str, Any]) -> Position | None:
        """The position, None without a cursor, `CursorError` for what was not signed here for this very query."""
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError as error:
            raise CursorError from error
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(payload, query)):
            raise CursorError
        values, backwards = json.loads(payload)
        return Position(tuple(values), backwards)

    def page(
        self,
        rows: Sequence[Row],
        key: Callable[[Row], tuple[Any, ...]],
        *,
        limit: int,
        position: Position | None,
        query: Mapping[str, Any],
        total: int | None = None,
    ) -> Page[Row]:
        """Cut a page out of up to `limit + 1` rows, in the order in which they were read from `position`.

        The row too many only tells that the list goes on. `key` gives the sort values of a row.
        """
        goes_on, rows = len(rows) > limit, rows[:limit]
        before, after = position is not None, goes_on
        if position is not None and position.backwards:
            before, after, rows = goes_on, True, rows[::-1]
        return Page(
            rows=rows,
            limit=limit,
            next_cursor=self.sign(Position(key(rows[-1])), query) if rows and after else None,
            prev_cursor=self.sign(Position(key(rows[0]), backwards=True), query) if rows and before else None,
            total=total,
        )

    def _signature(self, payload: bytes, query: Mapping[str, Any]) -> bytes:
        bound = json.dumps(query, sort_keys=True, default=str).encode()
        return hmac.digest(self._key, hashlib.sha256(bound).digest() + payload, "sha256")[:_SIGNATURE_BYTES]
