"""What happens when something breaks: the client learns nothing of the inside, the log everything."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.core.threads import TooBusy
from app.dev.embedded.processes import free_port
from app.main import create_app
from app.models.shipping import TaxRate
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.logs import standard_output
from tests.support.problems import Json, problem_of
from tests.support.shopping import API

Endpoint = Callable[[], Awaitable[None]]
AppWith = Callable[[Endpoint], AbstractAsyncContextManager[httpx.AsyncClient]]


@asynccontextmanager
async def serving(settings: Settings, shop: Shop, endpoint: Endpoint | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """The real application on this shop, with one endpoint more at /broken."""
    app = create_app(settings.model_copy(update={"log_level": "INFO", "log_format": "json"}))
    app.state.shop = shop
    if endpoint:
        app.add_api_route("/broken", endpoint)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def app_with(settings: Settings, shop: Shop) -> AppWith:
    return lambda endpoint: serving(settings, shop, endpoint)


def errors_in(log: io.StringIO) -> list[Json]:
    """The lines of the log that are not about a request but about what went wrong in it."""
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] != "request"]


def told_to_wait(response: httpx.Response) -> bool:
    return problem_of(response)["code"] == "service_unavailable" and response.headers["Retry-After"] == "1"


# Defects of ours


async def defect() -> None:
    raise ZeroDivisionError("inside information")


async def test_a_crash_tells_nothing_and_logs_everything_once(app_with: AppWith) -> None:
    with standard_output() as log:
        async with app_with(defect) as client:
            response = await client.get("/broken", headers={"X-Request-ID": "abcdefgh"})
        (line,) = errors_in(log)

    problem = problem_of(response)
    assert (problem["code"], problem["request_id"]) == ("internal_error", "abcdefgh")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "inside" not in response.text
    assert "ZeroDivision" not in response.text
    assert (line["event"], line["level"], line["request_id"]) == ("unhandled error", "error", "abcdefgh")
    assert line["exception"].endswith(
        'in defect\n    raise ZeroDivisionError("inside information")\nZeroDivisionError: inside information'
    )


async def test_one_crash_does_not_end_the_service(app_with: AppWith) -> None:
    async with app_with(defect) as client:
        await client.get("/broken")
        assert (await client.get("/health/live")).status_code == 200


async def test_a_defect_in_a_statement_is_a_crash_like_any_other(settings: Settings, shop: Shop) -> None:
    async with shop.database.transaction() as tx:
        await tx.session.execute(text("ALTER TABLE products RENAME COLUMN slug TO renamed"))

    with standard_output() as log:
        async with serving(settings, shop) as client:
            response = await client.get(f"{API}/products/some-mug")
        (line,) = errors_in(log)

    assert problem_of(response)["code"] == "internal_error"
    assert "slug" not in response.text
    assert (line["event"], line["level"], line["request_id"]) == (
        "database error",
        "error",
        response.headers["X-Request-ID"],
    )
    assert "UndefinedColumnError" in line["exception"]


# What collides


async def test_a_broken_unique_constraint_is_a_conflict(app_with: AppWith, shop: Shop) -> None:
    async def twice() -> None:
        async with shop.database.transaction() as tx:
            tx.session.add_all(TaxRate(country="XX", rate=Decimal("0.1")) for _ in range(2))

    async with app_with(twice) as client:
        response = await client.get("/broken")

    assert problem_of(response)["code"] == "conflict"
    assert "XX" not in response.text


# What is away


@pytest.fixture
def slow_settings(settings: Settings, fresh_database_url: str) -> Settings:
    """A database of its own, with one connection and little patience."""
    return settings.model_copy(
        update={"database_url": SecretStr(fresh_database_url), "database_pool_size": 1, "database_timeout": 0.3}
    )


async def test_a_database_that_is_away_means_later(settings: Settings) -> None:
    url = SecretStr(f"postgresql+asyncpg://nobody:canary@127.0.0.1:{free_port()}/none")
    away = settings.model_copy(update={"database_url": url})
    with standard_output() as log:
        async with open_shop(away) as shop, serving(away, shop) as client:
            responses = [await client.get(f"{API}/products"), await client.post(f"{API}/cart")]
        events, logged = [line["event"] for line in errors_in(log)], log.getvalue()

    assert all(told_to_wait(response) for response in responses)
    assert events == ["database unavailable", "database unavailable"]
    assert "canary" not in logged + "".join(response.text for response in responses)


async def test_a_database_that_never_answers_is_not_waited_for(settings: Settings) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        url = SecretStr(f"postgresql+asyncpg://nobody@127.0.0.1:{port}/none")
        frozen = settings.model_copy(update={"database_url": url, "database_timeout": 0.2})
        async with open_shop(frozen) as shop, serving(frozen, shop) as client:
            started = time.monotonic()
            assert told_to_wait(await client.get(f"{API}/products"))
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("path", ["products", "cart"])  # each is read through a pool of its own
async def test_who_finds_no_free_connection_is_told_soon(slow_settings: Settings, path: str) -> None:
    async with open_shop(slow_settings) as shop, serving(slow_settings, shop) as client:

        async def read() -> httpx.Response:
            return await client.get(f"{API}/{path}", headers={"X-Cart-Token": "nobody's"})

        lists = shop.database.listings._reader
        async with shop.database.snapshot() as tx, lists._connections.acquire():
            await tx.session.execute(text("SELECT 1"))
            started = time.monotonic()
            assert told_to_wait(await read())
            assert 0.3 <= time.monotonic() - started < 2
        assert (await read()).status_code in (200, 404)


async def test_who_waits_for_a_lock_is_told_soon(slow_settings: Settings) -> None:
    async with open_shop(slow_settings) as shop, serving(slow_settings, shop) as client:
        async with shop.database.transaction() as tx:
            await tx.session.execute(text("LOCK TABLE products IN ACCESS EXCLUSIVE MODE"))
            assert told_to_wait(await client.get(f"{API}/products"))
        assert (await client.get(f"{API}/products")).status_code == 200


async def test_the_service_survives_a_restart_of_its_database(slow_settings: Settings) -> None:
    async with open_shop(slow_settings) as shop, serving(slow_settings, shop) as client:
        assert (await client.get(f"{API}/products")).status_code == 200
        async with shop.database.transaction() as tx:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            await tx.session.execute(text(f"{others} AND pid <> pg_backend_pid()"))

        first = await client.get(f"{API}/products")  # on a connection that may not have heard yet that it ended
        assert first.status_code == 200 or told_to_wait(first)
        assert (await client.get(f"{API}/products")).status_code == 200


async def test_too_many_passwords_at_once_mean_later(app_with: AppWith) -> None:
    async def too_busy() -> None:
        raise TooBusy

    async with app_with(too_busy) as client:
        assert told_to_wait(await client.get("/broken"))
