"""Identifiers that are the same in every run."""

from random import Random
from uuid import UUID

from app.core.ids import uuid7_at

_START_MS = 1_767_225_600_000  # 2026-01-01; the shop's own ids are all younger


class Ids:
    """Version 7 UUIDs: one a millisecond from a fixed start, their random bits from the seed."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._milliseconds = _START_MS

    def __call__(self) -> UUID:
        self._milliseconds += 1
        return uuid7_at(self._milliseconds, self._random.getrandbits(80))
