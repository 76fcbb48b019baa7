"""Conditional requests (RFC 9110 §8.8.3, §13.1.1 and §13.1.2)."""

import hashlib
import re

Versions = frozenset[int] | None
"""The versions of a resource that a caller has seen, one of which must be today's. None is whichever it has."""

IF_MATCH = r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$'
"""What an If-Match looks like. We read a little more: empty places in the list, and bytes beyond ASCII."""

_TAG = r'(?:W/)?"[!#-~\u0080-\u00ff]*"'
_IF_MATCH = re.compile(rf"[ \t]*(?:\*[ \t]*|(?:{_TAG}[ \t]*)?(?:,[ \t]*(?:{_TAG}[ \t]*)?)*)")
_OURS = re.compile(r'(?:W/)?"v([0-9]{1,9})(?:-[0-9a-f]{16})?"')


def digest(body: bytes) -> str:
    """Sixteen hexadecimal digits that are others as soon as the body is another."""
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def matches(if_none_match: str, etag: str) -> bool:
    """Whether one of the tags is this one, by the weak comparison."""
    opaque = etag.removeprefix("W/")
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return opaque in candidates or "*" in candidates


def versions_in(if_match: str) -> Versions:
    """The versions that an If-Match names; of a list of strange tags none, so that nothing matches.

    A weak tag counts, against §13.1.1: proxies weaken ours when they compress an answer, and the version in it is the
    same.

    Raises:
        ValueError: it is neither `*` nor a list of tags.
    """
    if not _IF_MATCH.fullmatch(if_match):
        raise ValueError(if_match)
    if if_match.strip(" \t") == "*":
        return None
    tags = (_OURS.fullmatch(tag) for tag in re.findall(_TAG, if_match))
    return frozenset(int(tag[1]) for tag in tags if tag)
