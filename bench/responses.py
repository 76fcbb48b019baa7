"""As much of HTTP/1.1 as the load generator needs to know where an answer ends."""

from typing import NamedTuple

WITHOUT_BODY = {204, 304}  # RFC 9112 §6.3


class MalformedResponse(Exception):
    """This is not an answer with a Content-Length."""


class Response(NamedTuple):
    """Its status, and where it ends in what has been received."""

    status: int
    end: int


def read_response(received: bytes) -> Response | None:
    """The response that `received` begins with; None as long as its header is not complete.

    `end` lies beyond the last byte while some of the body is still to come.

    Raises:
        MalformedResponse: it has no status or does not say how long it is.
    """
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    if not received.startswith(b"HTTP/1.1 "):
        raise MalformedResponse(received[:200])
    status = int(received[9:12])
    if status in WITHOUT_BODY:
        return Response(status, head_end + 4)
    _, found, value = received[:head_end].lower().partition(b"\r\ncontent-length:")
    if not found:
        raise MalformedResponse(received[:head_end])
    return Response(status, head_end + 4 + int(value.partition(b"\r\n")[0]))
