"""A bound on what one address may ask of one process: against floods, not for fairness.

Counting here is a dictionary look-up. What has to be exact for all processes, because it guesses, mails or spends, is
counted in Redis (app/core/rate_limit.py); a cached page, sent in less time than that takes, is counted here.
"""

import time
from typing import NamedTuple

from starlette.types import Scope

from app.core.addresses import network_of

WINDOW = 10.0  # seconds
_READS = frozenset(["GET", "HEAD", "OPTIONS"])


class Most(NamedTuple):
    """How many requests one address may send to one process in ten seconds."""

    reads: int
    writes: int


class Throttle:
    """Counts in windows, and forgets each one as a whole: memory is bounded by what is served in ten seconds."""

    def __init__(self, most: Most) -> None:
        self._most = most
        self._reads: dict[str, int] = {}
        self._writes: dict[str, int] = {}
        self._ends = 0.0

    def refuses(self, scope: Scope) -> bool:
        """Count this request, and say whether it is one too many."""
        now = time.monotonic()
        if now >= self._ends:
            self._reads, self._writes, self._ends = {}, {}, now + WINDOW
        counts, most = (
            (self._reads, self._most.reads) if scope["method"] in _READS else (self._writes, self._most.writes)
        )
        network = network_of(scope)
        counts[network] = count = counts.get(network, 0) + 1
        return count > most

    @property
    def wait(self) -> int:
        """Whole seconds until the next window."""
        return max(1, int(self._ends - time.monotonic()) + 1)
