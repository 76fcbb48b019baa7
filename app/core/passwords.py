"""Argon2id hashing in a bounded pool, so that a storm of sign-ins cannot starve everything else."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from passlib.context import CryptContext
from passlib.exc import PasswordSizeError, UnknownHashError

Result = TypeVar("Result")

# OWASP Password Storage Cheat Sheet: m=19 MiB, t=2, p=1.
_CONTEXT = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19456,
    argon2__time_cost=2,
    argon2__parallelism=1,
)
_WAITING_PER_THREAD = 32


class TooBusy(Exception):
    """More hashes are waiting than could be done in a reasonable time."""


class PasswordHasher:
    """Hashes and verifies off the event loop; at most `threads` at once and a bounded number waiting.

    A thread costs a core for about 30 ms a hash, so the default is one: the event loop keeps the others.
    """

    def __init__(self, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._free = threads * _WAITING_PER_THREAD
        self._decoy = _decoy()

    async def hash(self, password: str) -> str:
        return await self._run(_CONTEXT.hash, password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is right; with no hash to compare, False after the same work."""
        matches = await self._run(_verify, password, hashed or self._decoy)
        return matches and hashed is not None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[..., Result], *arguments: str) -> Result:
        if self._free == 0:
            raise TooBusy
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)
        finally:
            self._free += 1


@cache
def _decoy() -> str:
    """Verified when the account does not exist: the answer must take as long as for one that does."""
    return _CONTEXT.hash(secrets.token_urlsafe())


def _verify(password: str, hashed: str) -> bool:
    try:
        return _CONTEXT.verify(password, hashed)
    except (UnknownHashError, PasswordSizeError, ValueError):
        return False
