"""What becomes of people, seen from another process than the one that was asked."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.models.users import Role
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.databases import copied_database
from tests.support.people import keep
from tests.support.processes import RELAY, WORKER, eventually, redis_database, running, running_apis
from tests.support.sandbox import RunningSandbox
from tests.support.settings import shop_settings
from tests.support.shopping import API, add_product, signed_in

AT_MOST = 1.0  # seconds until every process has heard of a change

Apis = tuple[httpx.AsyncClient, httpx.AsyncClient]


@pytest.fixture(scope="module")
async def settings(
    postgres_url: str, template: str, redis_url: str, sandbox: RunningSandbox
) -> AsyncIterator[Settings]:
    """Of a shop that caches what everybody sees."""
    async with copied_database(postgres_url, template) as url:
        caching = {"response_cache_seconds": 60.0}
        yield shop_settings(url, redis_database(redis_url, 8), sandbox).model_copy(update=caching)


@pytest.fixture(scope="module")
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with open_shop(settings) as shop:
        yield shop


@pytest.fixture(scope="module")
def api_urls(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with running_apis(settings, tmp_path_factory.mktemp("people"), 2) as urls:
        yield urls


async def authors_at(api: httpx.AsyncClient, reviews: str) -> list[str]:
    shown = await api.get(reviews)
    assert shown.status_code == 200, shown.text
    return [review["author"] for review in shown.json()["data"]]


async def test_a_cached_review_loses_its_author_with_the_account(apis: Apis, shop: Shop) -> None:
    one, other = apis
    person, reviews = await signed_in(shop), f"{API}/products/{(await add_product(shop.database)).product_id}/reviews"
    assert (await one.post(reviews, json={"rating": 5}, headers=person)).status_code == 201
    for api in apis * 3:
        assert await authors_at(api, reviews) == ["Ada"]

    assert (await one.delete(f"{API}/users/me", headers=person)).status_code == 202
    deleted = time.monotonic()

    for api in (other, one):
        while await authors_at(api, reviews) != ["Anonymous"]:
            assert time.monotonic() - deleted < AT_MOST


async def test_a_role_that_an_admin_gives_or_takes_acts_in_the_other_process(apis: Apis, shop: Shop) -> None:
    one, other = apis
    admin, person = await signed_in(shop, Role.ADMIN), await signed_in(shop, Role.WAREHOUSE)
    me = (await one.get(f"{API}/users/me", headers=person)).json()
    for _ in range(2):
        assert (await other.get(f"{API}/inventory", headers=person)).status_code == 200

    changed = await one.patch(
        f"{API}/users/{me['id']}", json={"role": "customer"}, headers=admin | {"If-Match": f'"v{me["version"]}"'}
    )
    assert changed.status_code == 200, changed.text

    started = time.monotonic()
    while (await other.get(f"{API}/inventory", headers=person)).status_code != 403:
        assert time.monotonic() - started < AT_MOST


async def test_the_worker_makes_an_export(apis: Apis, settings: Settings, shop: Shop, tmp_path: Path) -> None:
    person = await signed_in(shop)
    await keep(apis[0], person)
    with running(RELAY, settings, tmp_path), running(WORKER, settings, tmp_path):
        asked = await apis[0].get(f"{API}/users/me/export", headers=person)
        assert asked.status_code == 202, asked.text

        async def finished() -> dict[str, Any] | None:
            job: dict[str, Any] = (await apis[1].get(asked.headers["location"], headers=person)).json()
            return job if job["status"] in ("succeeded", "failed") else None

        job = await eventually(finished)
    result = await apis[1].get(f"{asked.headers['location']}/result", headers=person)

    assert job is not None
    assert job["status"] == "succeeded"
    assert [address["city"] for address in result.json()["addresses"]] == ["Berlin"]
