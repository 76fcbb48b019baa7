"""Conditional requests on versioned resources (RFC 9110 §8.8.3 and §13)."""

from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Header, Response, status

PUBLIC = "public, max-age=60, stale-while-revalidate=30"
PRIVATE = "private, no-cache"

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    status.HTTP_304_NOT_MODIFIED: {"description": "It still is the version named in If-None-Match."}
}


class HasVersion(Protocol):
    version: int


Versioned = TypeVar("Versioned", bound=HasVersion)

IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="The ETag you have: 304 when it is still the same")
]


async def publicly_cached(response: Response) -> None:
    """As a dependency of an operation that answers everyone the same."""
    response.headers["Cache-Control"] = PUBLIC


def tagged(response: Response, resource: Versioned, *, location: str | None = None) -> Versioned:
    """The resource, with its version as the ETag, and the address of a new one."""
    response.headers["ETag"] = _etag(resource)
    if location is not None:
        response.headers["Location"] = location
    return resource


def unless_known(
    response: Response, resource: Versioned, if_none_match: str | None, *, public: bool
) -> Versioned | Response:
    """The resource, or 304 without a body to a client that has it."""
    headers = {
        "ETag": _etag(resource),
        "Cache-Control": PUBLIC if public else PRIVATE,
        "Vary": "Authorization",  # staff see more
    }
    if if_none_match is not None and _matches(if_none_match, headers["ETag"]):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    response.headers.update(headers)
    return resource


def _etag(resource: HasVersion) -> str:
    return f'"v{resource.version}"'


def _matches(if_none_match: str, etag: str) -> bool:
    """The weak comparison of RFC 9110 §13.1.2."""
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return "*" in candidates or etag in candidates
