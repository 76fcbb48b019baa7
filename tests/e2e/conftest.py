"""The shop as it is run: several processes on one database and one broker of their own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.databases import copied_database
from tests.support.processes import redis_database, running_apis
from tests.support.sandbox import RunningSandbox
from tests.support.settings import shop_settings
from tests.support.shopping import add_delivery


@pytest.fixture(scope="package")
async def settings(
    postgres_url: str, template: str, redis_url: str, sandbox: RunningSandbox
) -> AsyncIterator[Settings]:
    async with copied_database(postgres_url, template) as url:
        settings = shop_settings(url, redis_database(redis_url, 7), sandbox)
        # A process' usual pool, with more patience: how long a crowd may wait is another question than what it gets.
        pool = Settings.model_fields["database_pool_size"].default
        yield settings.model_copy(update={"database_pool_size": pool, "database_timeout": 30.0})


@pytest.fixture(scope="package")
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    """This process's own view of it."""
    async with open_shop(settings) as shop:
        await add_delivery(shop.database)
        yield shop


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="package")
def api_urls(settings: Settings, home: Path) -> Iterator[list[str]]:
    """Two API processes, as behind a load balancer."""
    with running_apis(settings, home, 2) as urls:
        yield urls


@pytest.fixture
async def apis(api_urls: list[str]) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    one, other = api_urls
    async with customers_of(one) as first, customers_of(other) as second:
        yield first, second


def customers_of(url: str) -> httpx.AsyncClient:
    """As many connections as there are requests, and the patience to hear every answer."""
    return httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=None))
