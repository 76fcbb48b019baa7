"""What has changed, and since when we would know.

Whether an answer still holds is decided when it is about to be sent, by comparing times: that of its computation with
those of the changes heard of. So there is nothing to delete, in any tier, and an answer that was under way when the
change came is found out like any other.
"""

import math
import time

from app.core.cache.entries import Entry

EVERYTHING = "*"
MOST_REMEMBERED = 100_000


class Journal:
    """Times of changes, by tag. Until `begin` and after `end` nothing is trusted: changes would go unheard."""

    def __init__(self) -> None:
        self._trusted_since = math.inf
        self._changed_at: dict[str, float] = {}
        self.latest = -math.inf

    def begin(self) -> None:
        """From now on every change will be told."""
        self._trusted_since = self.latest = time.time()
        self._changed_at.clear()

    def end(self) -> None:
        self._trusted_since = math.inf

    def change(self, tag: str) -> None:
        """What depends on the tag is another now."""
        if tag == EVERYTHING or len(self._changed_at) >= MOST_REMEMBERED:
            self.forget()
            return
        self.latest = time.time()
        self._changed_at[tag] = self.latest

    def forget(self) -> None:
        """Trust nothing that was computed before this moment."""
        if self._trusted_since != math.inf:
            self.begin()

    def holds(self, entry: Entry) -> bool:
        """Whether nothing that the entry depends on has changed since it was computed."""
        since = entry.computed_at
        if since <= self._trusted_since:
            return False
        changed_at = self._changed_at
        return all(changed_at.get(tag, 0.0) < since for tag in entry.tags)
