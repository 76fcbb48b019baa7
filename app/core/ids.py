"""Identifiers that sort by time, so that new rows land at the end of an index."""

import secrets
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0b10 << 62
_CLEAR = ~((0xF << 76) | (0b11 << 62))


def uuid7() -> UUID:
    """A version 7 UUID: 48 bits of milliseconds, then 74 random bits (RFC 9562 §5.7).

    Not a secret: an id is guessable in part, so access never rests on knowing one.
    """
    return uuid7_at(time.time_ns() // 1_000_000, secrets.randbits(80))


def uuid7_at(milliseconds: int, random_bits: int) -> UUID:
    """The version 7 UUID of a moment, in milliseconds since 1970, and of 80 random bits, of which 74 are used."""
    value = milliseconds << 80 | random_bits
    return UUID(int=value & _CLEAR | _VERSION_7 | _VARIANT_RFC)
