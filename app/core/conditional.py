"""Conditional requests (RFC 9110 §8.8.3 and §13.1.2)."""

import hashlib


def digest(body: bytes) -> str:
    """Sixteen hexadecimal digits that are others as soon as the body is another."""
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def matches(if_none_match: str, etag: str) -> bool:
    """Whether one of the tags is this one, by the weak comparison."""
    opaque = etag.removeprefix("W/")
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return opaque in candidates or "*" in candidates
