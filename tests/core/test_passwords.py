"""Argon2id in a bounded pool."""

import asyncio
from collections.abc import Iterator

import pytest

from app.core.passwords import PasswordHasher
from app.core.threads import TooBusy

PARAMETERS = "$argon2id$v=19$m=19456,t=2,p=1$"  # OWASP Password Storage Cheat Sheet


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher()
    yield hasher
    hasher.close()


async def test_hashes_are_argon2id_with_the_parameters_of_owasp(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash("correct horse battery staple")

    assert hashed.startswith(PARAMETERS)
    assert await hasher.verify("correct horse battery staple", hashed) is True
    assert await hasher.verify("correct horse battery stapl", hashed) is False


async def test_a_password_counts_to_its_last_character(hasher: PasswordHasher) -> None:
    long = "é" * 256  # 512 bytes: bcrypt would stop at 72

    hashed = await hasher.hash(long)

    assert await hasher.verify(long, hashed) is True
    assert await hasher.verify(long[:-1] + "e", hashed) is False
    assert await hasher.verify(f" {long}", hashed) is False


async def test_without_a_hash_the_answer_is_no_after_the_same_work(hasher: PasswordHasher) -> None:
    assert hasher._decoy.startswith(PARAMETERS)
    assert await hasher.verify("whatever", None) is False


@pytest.mark.parametrize("stored", ["", "!", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$x$y", "$2b$12$short"])
async def test_a_broken_hash_matches_nothing(hasher: PasswordHasher, stored: str) -> None:
    assert await hasher.verify("whatever", stored) is False


async def test_a_storm_is_refused_beyond_the_queue_and_the_queue_is_served(hasher: PasswordHasher) -> None:
    outcomes = await asyncio.gather(*(hasher.hash("password") for _ in range(40)), return_exceptions=True)

    assert sum(isinstance(outcome, str) for outcome in outcomes) == 32
    assert sum(isinstance(outcome, TooBusy) for outcome in outcomes) == 8
    assert (await hasher.hash("password")).startswith(PARAMETERS)
