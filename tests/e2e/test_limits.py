"""Limits over several processes, with Redis and without it, and what a request costs when Redis hangs."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from app.dev.embedded.processes import free_port
from app.main import RATE_LIMITS
from app.settings import Settings
from tests.support.processes import running_apis
from tests.support.shopping import API

ALLOWED = 10
GUESSES = 4 * ALLOWED


@pytest.fixture(scope="module")
def limited(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limit_enabled": True})


@pytest.fixture(scope="module")
def pair(limited: Settings, home: Path) -> Iterator[list[str]]:
    with running_apis(limited, home, 2) as urls:
        yield urls


async def guess(client: httpx.AsyncClient, url: str) -> httpx.Response:
    form = {"username": f"{uuid4().hex}@example.com", "password": "not the password of anybody"}
    return await client.post(f"{url}{API}/auth/token", data=form)


async def guesses(*urls: str) -> list[httpx.Response]:
    """All at once, in turn at each address; every one on a connection of its own."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        return await asyncio.gather(*(guess(client, urls[number % len(urls)]) for number in range(GUESSES)))


def passed(answers: list[httpx.Response]) -> int:
    assert {answer.status_code for answer in answers} <= {401, 429}
    return sum(answer.status_code == 401 for answer in answers)


def test_the_limit_that_these_tests_count_on() -> None:
    assert RATE_LIMITS["sign-in"].per_address == f"{ALLOWED}/minute"


async def test_two_processes_together_let_pass_what_the_limit_says(pair: list[str]) -> None:
    answers = await guesses(*pair)

    assert passed(answers) == ALLOWED
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 429)


async def test_without_redis_two_processes_together_let_pass_no_more(limited: Settings, home: Path) -> None:
    away = SecretStr(f"redis://127.0.0.1:{free_port()}/0")
    with running_apis(limited.model_copy(update={"redis_url": away, "web_concurrency": 2}), home, 1) as [url]:
        answers = await guesses(url)

    assert ALLOWED / 2 <= passed(answers) <= ALLOWED


async def test_a_redis_that_hangs_holds_up_neither_limits_nor_the_event_loop(limited: Settings, home: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=500)) as silent:
        hanging = SecretStr(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with running_apis(limited.model_copy(update={"redis_url": hanging}), home, 1) as [url]:
            async with httpx.AsyncClient(base_url=url, timeout=30) as client:
                waits = []
                asked = asyncio.create_task(guesses(url))
                while not asked.done():
                    started = time.perf_counter()
                    assert (await client.get("/health/live")).status_code == 200
                    waits.append(time.perf_counter() - started)
                    await asyncio.sleep(0.005)
                answers = await asked

    assert passed(answers) == ALLOWED
    assert max(waits) < 1.0  # redis-py's own patience would be 5 s and more
