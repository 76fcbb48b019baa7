"""A finished answer, ready for the socket."""

import gzip
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from starlette.types import Message

CACHE_TAGS = "shop.cache_tags"
"""Under this key of its scope an application names what its answer depends on. Without tags nothing is kept."""

RawHeaders = list[tuple[bytes, bytes]]

SMALLEST_TO_COMPRESS = 1_000  # bytes: below, it fits into one packet anyway
COMPRESSION_LEVEL = 6
OVERHEAD = 1_000  # bytes that an entry takes beside its bodies, about


@dataclass(slots=False)
class Entry:
    """`computed_at` is when the computation began, in seconds since 1970."""

    headers: RawHeaders
    body: bytes
    tags: tuple[str, ...]
    computed_at: float
    etag: str = field(init=False)

    def __post_init__(self) -> None:
        self.etag = next((value.decode("latin-1") for name, value in self.headers if name == b"etag"), "")

    @property
    def size(self) -> int:
        """Bytes of memory, about; with what the compressed body will take."""
        return OVERHEAD + len(self.body) + len(self.body) // 4

    @cached_property
    def as_it_is(self) -> tuple[Message, Message]:
        return _messages(200, self.headers, self.body)

    @cached_property
    def compressed(self) -> tuple[Message, Message]:
        """Compressed when it is first asked for, once. It is another representation, so its ETag is a weak one."""
        if len(self.body) < SMALLEST_TO_COMPRESS:
            return self.as_it_is
        body = gzip.compress(self.body, COMPRESSION_LEVEL, mtime=0)
        headers = [(name, value) for name, value in self.headers if name not in (b"content-length", b"etag")]
        headers += [
            (b"content-encoding", b"gzip"),
            (b"content-length", b"%d" % len(body)),
            (b"etag", f"W/{self.etag}".encode("latin-1")),
        ]
        return _messages(200, headers, body)

    @cached_property
    def not_modified(self) -> tuple[Message, Message]:
        kept = (b"etag", b"cache-control", b"vary")  # RFC 9110 §15.4.5
        return _messages(304, [(name, value) for name, value in self.headers if name in kept], b"")

    def to_bytes(self) -> bytes:
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers]
        return json.dumps([headers, self.tags, self.computed_at]).encode() + b"\n" + self.body

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        about, _, body = stored.partition(b"\n")
        headers, tags, computed_at = json.loads(about)
        return cls(
            [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            body,
            tuple(tags),
            computed_at,
        )


def _messages(status: int, headers: RawHeaders, body: bytes) -> tuple[Message, Message]:
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return start, {"type": "http.response.body", "body": body}
