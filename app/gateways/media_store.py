"""Where pictures are kept: a directory, or any store that speaks S3.

Objects never change. Those of one picture share a folder named by the content, so that they can go together.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

FOR_EVER = "public, max-age=31536000, immutable"
CONTENT_TYPE = "image/webp"

_S3 = "s3://"
_CHUNK = 64 * 1024
_TIMEOUT = timedelta(seconds=4)  # for one attempt
_RETRIES = 1


class MediaStoreUnavailable(Exception):
    """The store does not answer, is full, or does not let us in."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`chunks` are its `size` bytes, to be read once."""

    size: int
    chunks: AsyncIterator[bytes]

    async def read(self) -> bytes:
        """All of them at once."""
        try:
            return b"".join([chunk async for chunk in self.chunks])
        except (BaseError, OSError) as error:
            raise MediaStoreUnavailable from error


class MediaStore:
    """`address` is a directory, made when it is first needed, or `s3://bucket/folder`.

    The store's credentials, region and endpoint come from where every S3 tool looks for them: `AWS_*` variables or
    the role of the machine. Its work happens in threads of its own, outside Python.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._remote = address.startswith(_S3)

    @cached_property
    def _store(self) -> ObjectStore:
        if not self._remote:
            return LocalStore(self._address, mkdir=True, automatic_cleanup=True)
        return S3Store.from_url(
            self._address,
            client_options={"timeout": _TIMEOUT, "allow_http": True},  # as the endpoint's address says
            retry_config={"max_retries": _RETRIES, "retry_timeout": _TIMEOUT},
        )

    async def put(self, key: str, data: bytes) -> None:
        """Keep the bytes under the key: all of them, or nothing."""
        # Beside the objects in a bucket, for those who serve them from there; a file has no place for it.
        attributes = {"Content-Type": CONTENT_TYPE, "Cache-Control": FOR_EVER} if self._remote else None
        try:
            await obstore.put_async(self._store, key, data, attributes=attributes, use_multipart=False)
        except (BaseError, OSError) as error:
            raise MediaStoreUnavailable from error

    async def get(self, key: str) -> StoredObject | None:
        try:
            found = await obstore.get_async(self._store, key)
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise MediaStoreUnavailable from error
        return StoredObject(found.meta["size"], found.stream(_CHUNK))

    async def delete(self, folder: str) -> None:
        """Delete whatever is in the folder."""
        try:
            keys = [found["path"] async for batch in obstore.list(self._store, folder) for found in batch]
            await asyncio.gather(*(self._delete_one(key) for key in keys))
        except (BaseError, OSError) as error:
            raise MediaStoreUnavailable from error

    async def _delete_one(self, key: str) -> None:
        with suppress(FileNotFoundError):  # somebody else was faster
            await obstore.delete_async(self._store, key)
