"""Two API processes answer from their caches, and never what is not so any more."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from app.database import driver_url
from app.dev.embedded import ValkeyServer
from app.dev.embedded.valkey import RunningValkey
from app.models.products import Variant
from app.models.users import Role
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.databases import copied_database
from tests.support.processes import running_apis
from tests.support.sandbox import RunningSandbox
from tests.support.settings import shop_settings
from tests.support.shopping import add_product, signed_in

API = "/api/v1"
AT_MOST = 1.0  # seconds until every process has heard of a change

Apis = tuple[httpx.AsyncClient, httpx.AsyncClient]


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    with ValkeyServer(tmp_path_factory.mktemp("valkey"), fast=True).running() as server:
        yield server


@pytest.fixture(scope="module")
async def settings(
    postgres_url: str, template: str, valkey: RunningValkey, sandbox: RunningSandbox
) -> AsyncIterator[Settings]:
    async with copied_database(postgres_url, template) as url:
        yield shop_settings(url, valkey.url(), sandbox).model_copy(update={"response_cache_seconds": 60.0})


@pytest.fixture(scope="module")
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with open_shop(settings) as shop:
        yield shop


@pytest.fixture(scope="module")
def api_urls(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with running_apis(settings, tmp_path_factory.mktemp("cached"), 2) as urls:
        yield urls


@pytest.fixture
async def sql(settings: Settings) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Somebody at psql."""
    connection = await asyncpg.connect(driver_url(settings))
    yield connection
    await connection.close()


async def price_at(api: httpx.AsyncClient, variant: Variant) -> int:
    response = await api.get(f"{API}/products/{variant.product_id}")
    assert response.status_code == 200, response.text
    amount: int = response.json()["variants"][0]["price"]["amount"]
    return amount


async def change_price(api: httpx.AsyncClient, staff: dict[str, str], variant: Variant, amount: int) -> None:
    page = await api.get(f"{API}/products/{variant.product_id}", headers=staff)
    changed = await api.patch(
        f"{API}/variants/{variant.id}",
        json={"price": {"amount": amount, "currency": "EUR"}},
        headers=staff | {"If-Match": f'"v{page.json()["variants"][0]["version"]}"'},
    )
    assert changed.status_code == 200, changed.text


async def cached_at(api: httpx.AsyncClient, *paths: str) -> None:
    """Have the process keep its answers; it listens as soon as it answers a second time from memory."""
    for path in paths:
        for _ in range(2):
            assert (await api.get(f"{API}{path}")).status_code == 200


async def outcomes(api: httpx.AsyncClient) -> dict[str, float]:
    lines = (await api.get("/metrics")).text.splitlines()
    prefix = 'shop_response_cache_total{outcome="'
    return {
        line.removeprefix(prefix).partition('"')[0]: float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith(prefix)
    }


async def test_a_second_question_is_answered_from_memory(apis: Apis, shop: Shop) -> None:
    variant = await add_product(shop.database)
    await price_at(apis[0], variant)
    before = await outcomes(apis[0])
    await price_at(apis[0], variant)

    after = await outcomes(apis[0])
    assert after["hit"] == before["hit"] + 1
    assert after["computed"] == before["computed"]


@pytest.mark.parametrize("path", ["", "?limit=5&sort=price"])
async def test_a_new_price_is_seen_at_once_by_its_author_and_by_all_within_a_second(
    apis: Apis, shop: Shop, path: str
) -> None:
    author, other = apis
    variant = await add_product(shop.database, price=1)
    staff = await signed_in(shop, Role.CATALOG)
    listed = f"{API}/products{path or '?limit=100'}"

    async def listed_price(api: httpx.AsyncClient) -> int:
        cards: list[dict[str, Any]] = (await api.get(listed)).json()["data"]
        prices: dict[str, int] = {card["id"]: card["price_from"]["amount"] for card in cards}
        return prices[str(variant.product_id)]

    for amount in range(2, 12):
        for api in apis:
            await price_at(api, variant)
            await listed_price(api)
        await change_price(author, staff, variant, amount)
        committed = time.monotonic()

        assert (await price_at(author, variant), await listed_price(author)) == (amount, amount)
        while (await price_at(other, variant), await listed_price(other)) != (amount, amount):
            assert time.monotonic() - committed < AT_MOST


async def test_a_change_past_the_api_is_seen_as_well(
    apis: Apis, shop: Shop, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    variant = await add_product(shop.database, stock=3)
    page = f"{API}/products/{variant.product_id}"
    for api in apis:
        await cached_at(api, page.removeprefix(API))

    await sql.execute("UPDATE stock_levels SET on_hand = 1 WHERE variant_id = $1", variant.id)
    committed = time.monotonic()
    for api in apis:
        while (await api.get(page)).json()["variants"][0]["available"] != 1:
            assert time.monotonic() - committed < AT_MOST


async def test_a_thousand_misses_at_once_are_one_query(
    apis: Apis, shop: Shop, sql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    variant = await add_product(shop.database)
    slug = await sql.fetchval("SELECT slug FROM products WHERE id = $1", variant.product_id)
    await sql.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    for api in apis:
        await cached_at(api, "/categories")
    reads = (
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid"
        " WHERE datname = current_database() AND query LIKE '%products.slug = ANY%'"
    )
    before = await sql.fetchval(reads)
    statuses = await asyncio.gather(
        *(fetch_status(apis[number % 2], f"{API}/products/{slug}") for number in range(1000))
    )

    assert set(statuses) == {200}
    assert await sql.fetchval(reads) == before + 1


async def fetch_status(api: httpx.AsyncClient, path: str) -> int:
    return (await api.get(path)).status_code


async def test_what_is_personal_is_neither_kept_nor_taken_from_the_cache(apis: Apis, shop: Shop) -> None:
    api = apis[0]
    variant = await add_product(shop.database)
    page = f"{API}/products/{variant.product_id}"
    staff = await signed_in(shop, Role.CATALOG)

    seen_by_staff = await api.get(page, headers=staff)
    seen_by_all = await api.get(page)
    assert seen_by_staff.headers["cache-control"] == "private, no-cache"
    assert seen_by_all.headers["cache-control"].startswith("public")
    for personal in (staff, {"Cookie": "a=b"}, {"X-Cart-Token": "t"}, {"X-Order-Token": "t"}):
        before = await outcomes(api)
        assert (await api.get(page, headers=personal)).status_code == 200
        assert await outcomes(api) == before
    assert (await api.get(page, headers={"Authorization": "Bearer no"})).status_code == 401


async def test_a_sign_out_acts_in_the_other_process(apis: Apis, shop: Shop) -> None:
    one, other = apis
    customer = await signed_in(shop)
    for api in (one, other, other):
        assert (await api.get(f"{API}/users/me", headers=customer)).status_code == 200

    assert (await one.post(f"{API}/auth/logout", headers=customer)).status_code == 204
    ended = time.monotonic()
    assert (await one.get(f"{API}/users/me", headers=customer)).status_code == 401
    while (await other.get(f"{API}/users/me", headers=customer)).status_code != 401:
        assert time.monotonic() - ended < AT_MOST


async def test_redis_may_die_and_come_back_under_load(apis: Apis, shop: Shop, valkey: RunningValkey) -> None:
    variants = [await add_product(shop.database, price=100) for _ in range(5)]
    staff = await signed_in(shop, Role.CATALOG)
    prices = {variant.id: 100 for variant in variants}
    changed_at = {variant.id: 0.0 for variant in variants}
    stop = asyncio.Event()

    async def read(api: httpx.AsyncClient, variant: Variant) -> None:
        while not stop.is_set():
            known, since = prices[variant.id], changed_at[variant.id]
            asked = time.monotonic()
            seen = await price_at(api, variant)
            if asked - since > AT_MOST:
                assert seen >= known, "an old price, more than a second after it changed"

    async def change(api: httpx.AsyncClient, variant: Variant) -> None:
        amount = prices[variant.id] + 1
        await change_price(api, staff, variant, amount)
        prices[variant.id], changed_at[variant.id] = amount, time.monotonic()

    async def change_all_for(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for number, variant in enumerate(variants):
                await change(apis[number % 2], variant)

    readers = [asyncio.create_task(read(api, variant)) for api in apis for variant in variants]
    try:
        await change_all_for(1.5)
        valkey.process.kill()
        valkey.process.wait()
        await change_all_for(2.5)
        with again(valkey):
            await change_all_for(2.5)
    finally:
        stop.set()
        await asyncio.gather(*readers)


@contextmanager
def again(valkey: RunningValkey) -> Iterator[None]:
    """The same server, at the same address, once more."""
    process = subprocess.Popen(valkey.process.args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own server
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def test_the_cache_answers_while_the_database_is_away(
    settings: Settings, postgres_url: str, shop: Shop, tmp_path: Path
) -> None:
    variant = await add_product(shop.database)
    name = settings.database_url.get_secret_value().rpartition("/")[2]
    own = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0"), "database_timeout": 1.0})
    with running_apis(own, tmp_path, 1) as [url]:
        async with httpx.AsyncClient(base_url=url, timeout=30) as api:
            page = f"{API}/products/{variant.product_id}"
            await cached_at(api, page.removeprefix(API))
            server = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
            try:
                await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
                await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
                for _ in range(20):
                    assert (await api.get(page)).status_code == 200
                assert (await api.get(f"{API}/products?limit=3")).status_code >= 500
            finally:
                await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
                await server.close()
            before = await outcomes(api)
            assert before["stale-if-error"] > 0
