"""Versions of staff's resources, and the fingerprints of what everybody may see and keep for a while."""

from typing import Any, Protocol, TypeVar

from fastapi import Request, Response, status

from app.core.cache import CACHE_TAGS
from app.core.conditional import digest, matches

PUBLIC = "public, max-age=60, stale-while-revalidate=30"
PRIVATE = "private, no-cache"
CATALOGUE = "catalogue"  # the tag of whatever may list any product or category

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    status.HTTP_304_NOT_MODIFIED: {"description": "It still is what has the ETag named in If-None-Match."}
}


class HasVersion(Protocol):
    version: int


Versioned = TypeVar("Versioned", bound=HasVersion)


def tagged(response: Response, resource: Versioned, *, location: str | None = None) -> Versioned:
    """The resource, with its version as the ETag, and the address of a new one."""
    response.headers["ETag"] = f'"v{resource.version}"'
    if location is not None:
        response.headers["Location"] = location
    return resource


def published(request: Request, body: bytes, *tags: str, version: int | None = None) -> Response:
    """JSON that everybody gets alike, or 304 to a client that has it; kept by the response cache under the tags.

    The ETag is made of the body, because a page shows more than its version counts: stock and ratings move on. With a
    version it begins like that version's own, so that it does as well in If-Match.
    """
    etag = f'"{digest(body)}"' if version is None else f'"v{version}-{digest(body)}"'
    signed_in = "authorization" in request.headers
    headers = {
        "ETag": etag,
        "Cache-Control": PRIVATE if signed_in else PUBLIC,
        "Vary": "Authorization, Accept-Encoding",
    }
    known = request.headers.get("if-none-match")
    if known is not None and matches(known, etag):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    request.scope[CACHE_TAGS] = tags
    return Response(body, media_type="application/json", headers=headers)
