"""Every way a real PostgreSQL says no, and what a client hears of it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from app.database_errors import as_shop_error, sqlstate
from app.main import create_app
from app.models.shipping import TaxRate
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.databases import run_on_server
from tests.support.logs import standard_output
from tests.support.problems import problem_of

Fault = Callable[[Shop], Awaitable[None]]
CANARY = "canary-5e1d"


async def run(shop: Shop, *statements: str) -> None:
    """In one transaction, as a service would."""
    async with shop.database.transaction() as tx:
        for statement in statements:
            await tx.session.execute(text(statement))


async def unique(shop: Shop) -> None:
    async with shop.database.transaction() as tx:
        tx.session.add_all(TaxRate(country="XX", rate=Decimal("0.1")) for _ in range(2))


async def foreign_key(shop: Shop) -> None:
    line = "gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1"
    await run(shop, "INSERT INTO cart_lines (id, cart_id, variant_id, quantity) SELECT " + line)


def _tax_rate(country: str, rate: float = 0) -> str:
    return f"INSERT INTO tax_rates (id, country, rate) VALUES ('{uuid4()}', '{country}', {rate})"  # noqa: S608 - our own values


async def check(shop: Shop) -> None:
    await run(shop, _tax_rate("XX", -1))


async def no_number(shop: Shop) -> None:
    await run(shop, f"SELECT CAST('{CANARY}' AS integer)")


async def out_of_range(shop: Shop) -> None:
    await run(shop, "SELECT 9999999999::int")


async def no_text(shop: Shop) -> None:
    async with shop.database.short_transaction() as tx:
        await tx.carts._statements._connection.execute("SELECT $1::text", "a\x00b")  # type: ignore[attr-defined]


async def serialisation(shop: Shop) -> None:
    """Two transactions read what the other writes."""

    async def swap(read: str, write: str, other: asyncio.Barrier) -> None:
        async with shop.database.transaction() as tx:
            await tx.session.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
            await tx.session.execute(text("SELECT count(*) FROM tax_rates WHERE country = :read"), {"read": read})
            await other.wait()
            await tx.session.execute(text(_tax_rate(write)))
            await other.wait()

    barrier = asyncio.Barrier(2)
    results = await asyncio.gather(swap("XX", "YY", barrier), swap("YY", "XX", barrier), return_exceptions=True)
    raise next(error for error in results if isinstance(error, Exception))


async def deadlock(shop: Shop) -> None:
    async def lock(first: int, second: int, other: asyncio.Barrier) -> None:
        async with shop.database.transaction() as tx:
            await tx.session.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
            await tx.session.execute(text(f"SELECT pg_advisory_xact_lock({first})"))
            await other.wait()
            await tx.session.execute(text(f"SELECT pg_advisory_xact_lock({second})"))

    barrier = asyncio.Barrier(2)
    results = await asyncio.gather(lock(1, 2, barrier), lock(2, 1, barrier), return_exceptions=True)
    raise next(error for error in results if isinstance(error, Exception))


async def locked(shop: Shop) -> None:
    async with shop.database.transaction() as tx:
        await tx.session.execute(text("LOCK TABLE tax_rates IN ACCESS EXCLUSIVE MODE"))
        await run(shop, "SET LOCAL lock_timeout = '50ms'", "SELECT count(*) FROM tax_rates")


async def slow_statement(shop: Shop) -> None:
    await run(shop, "SET LOCAL statement_timeout = '50ms'", "SELECT pg_sleep(5)")


async def terminated(shop: Shop) -> None:
    await run(shop, "SELECT pg_terminate_backend(pg_backend_pid())")


async def read_only(shop: Shop) -> None:
    await run(shop, "SET TRANSACTION READ ONLY", _tax_rate("XX"))


def raised(code: str) -> Fault:
    """What takes a full disk or a starting server to happen, raised by PostgreSQL itself."""

    async def fault(shop: Shop) -> None:
        await run(shop, f"DO $$ BEGIN RAISE EXCEPTION '{CANARY}' USING ERRCODE = '{code}'; END $$")

    return fault


FAULTS: dict[str, tuple[Fault, str, str]] = {
    "unique": (unique, "23505", "conflict"),
    "foreign key": (foreign_key, "23503", "conflict"),
    "check": (check, "23514", "conflict"),
    "no number": (no_number, "22P02", "validation_failed"),
    "out of range": (out_of_range, "22003", "validation_failed"),
    "not text": (no_text, "22021", "validation_failed"),
    "serialisation": (serialisation, "40001", "service_unavailable"),
    "deadlock": (deadlock, "40P01", "service_unavailable"),
    "locked": (locked, "55P03", "service_unavailable"),
    "slow statement": (slow_statement, "57014", "service_unavailable"),
    "terminated": (terminated, "08003", "service_unavailable"),
    "read only": (read_only, "25006", "service_unavailable"),
    "too many connections": (raised("53300"), "53300", "service_unavailable"),
    "disk full": (raised("53100"), "53100", "service_unavailable"),
    "out of memory": (raised("53200"), "53200", "service_unavailable"),
    "starting": (raised("57P03"), "57P03", "service_unavailable"),
    "crashed": (raised("57P02"), "57P02", "service_unavailable"),
    "disk broken": (raised("58030"), "58030", "service_unavailable"),
    "defect": (raised("42P01"), "42P01", "internal_error"),
}


@pytest.fixture
async def own_shop(settings: Settings, fresh_database_url: str) -> AsyncIterator[Shop]:
    own = settings.model_copy(update={"database_url": SecretStr(fresh_database_url), "database_pool_size": 3})
    async with open_shop(own) as shop:
        yield shop


async def ask(shop: Shop, fault: Fault) -> tuple[httpx.Response, list[dict[str, object]], str]:
    """The answer to a request in which this happens, the lines of the log about it, and the log as it is."""

    async def broken() -> None:
        await fault(shop)

    with standard_output() as log:
        app = create_app(shop.settings.model_copy(update={"log_level": "INFO", "log_format": "json"}))
        app.state.shop = shop
        app.add_api_route("/broken", broken)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            response = await client.get("/broken")
        return response, lines_of(log), log.getvalue()


def lines_of(log: io.StringIO) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if str(line["event"]).startswith("database")]


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_the_right_problem(own_shop: Shop, name: str) -> None:
    fault, code, problem = FAULTS[name]

    response, [line, *_], _ = await ask(own_shop, fault)

    assert problem_of(response)["code"] == problem
    assert response.headers.get("Retry-After") == ("1" if response.status_code == 503 else None)
    assert CANARY not in response.text
    if problem != "internal_error":
        assert line["sqlstate"] == code
    await run(own_shop, "SELECT 1")  # and nothing is left of it


@pytest.mark.parametrize("name", [name for name, (_, _, problem) in FAULTS.items() if problem != "internal_error"])
async def test_what_the_database_says_of_values_is_not_logged(own_shop: Shop, name: str) -> None:
    _, _, said = await ask(own_shop, FAULTS[name][0])

    assert CANARY not in said


async def test_a_full_disk_is_an_error_in_the_log_and_a_slow_statement_a_warning(own_shop: Shop) -> None:
    _, [full], _ = await ask(own_shop, FAULTS["disk full"][0])
    _, [slow], _ = await ask(own_shop, FAULTS["slow statement"][0])

    assert (full["level"], slow["level"]) == ("error", "warning")


async def test_a_broken_rule_is_logged_by_its_name(own_shop: Shop) -> None:
    _, [line], _ = await ask(own_shop, check)

    assert line["constraint"] == "ck_tax_rates_rate"


async def test_more_connections_than_the_role_may_have(settings: Settings, fresh_database_url: str) -> None:
    """53300, as a real server says it: to who connects."""
    await run_on_server(fresh_database_url, "CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 0")
    try:
        narrow = make_url(fresh_database_url).set(username="narrow", password="narrow")
        url = SecretStr(narrow.render_as_string(hide_password=False))
        own = settings.model_copy(update={"database_url": url})
        async with open_shop(own) as shop:
            response, [line], _ = await ask(shop, lambda shop: run(shop, "SELECT 1"))
    finally:
        await run_on_server(fresh_database_url, "DROP ROLE narrow")

    assert problem_of(response)["code"] == "service_unavailable"
    assert line["sqlstate"] == "53300"


async def test_errors_of_both_ways_to_the_database_are_understood(own_shop: Shop) -> None:
    """A session's are SQLAlchemy's, a short transaction's the driver's own."""
    with pytest.raises(DBAPIError) as wrapped:
        await run(own_shop, "SELECT 1/0")
    with pytest.raises(asyncpg.PostgresError) as bare:
        async with own_shop.database.short_transaction() as tx:
            await tx.carts._statements._connection.execute("SELECT 1/0")  # type: ignore[attr-defined]

    assert sqlstate(wrapped.value) == sqlstate(bare.value) == "22012"
    assert as_shop_error(wrapped.value) is as_shop_error(bare.value) is None  # our own arithmetic
