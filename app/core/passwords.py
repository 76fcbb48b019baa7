"""Argon2id hashing in a bounded pool, so that a storm of sign-ins cannot starve everything else."""

import secrets
from functools import cache

from passlib.context import CryptContext
from passlib.exc import PasswordSizeError, UnknownHashError

from app.core.threads import BoundedThreads

# OWASP Password Storage Cheat Sheet: m=19 MiB, t=2, p=1.
_CONTEXT = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19456,
    argon2__time_cost=2,
    argon2__parallelism=1,
)
_PLACES_PER_THREAD = 32


class PasswordHasher:
    """Hashes and verifies off the event loop; at most `threads` at once and a bounded number waiting.

    A thread costs a core for about 30 ms a hash, so the default is one: the event loop keeps the others.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = BoundedThreads(threads, places=threads * _PLACES_PER_THREAD, name="argon2")
        self._decoy = _decoy()

    async def hash(self, password: str) -> str:
        return await self._threads.run(_CONTEXT.hash, password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is right; with no hash to compare, False after the same work."""
        matches = await self._threads.run(_verify, password, hashed or self._decoy)
        return matches and hashed is not None

    def close(self) -> None:
        self._threads.close()


@cache
def _decoy() -> str:
    """Verified when the account does not exist: the answer must take as long as for one that does."""
    return _CONTEXT.hash(secrets.token_urlsafe())


def _verify(password: str, hashed: str) -> bool:
    try:
        return _CONTEXT.verify(password, hashed)
    except (UnknownHashError, PasswordSizeError, ValueError):
        return False
