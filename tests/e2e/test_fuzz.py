"""A slice of `make fuzz`: the cases depend on the seed and the numbers here, not on how fast the machine is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.clock import now
from app.models.users import Role, User
from app.shop import Shop, open_shop
from scripts.fuzz.identities import Identity
from scripts.fuzz.runs import Run, fuzz
from tests.support.databases import copied_database
from tests.support.processes import redis_database, running_apis
from tests.support.sandbox import RunningSandbox
from tests.support.settings import shop_settings
from tests.support.shopping import add_delivery, add_product

PASSWORD = "nobody knows but the fuzzer"
CUSTOMER, NEIGHBOUR, ADMIN = (
    Identity(name, f"{name}@fuzz.example", PASSWORD) for name in ("customer", "neighbour", "admin")
)
SEED = ("--seed", "1", "--generation-deterministic", "--no-shrink")


@pytest.fixture(scope="module")
async def api_url(
    postgres_url: str, template: str, redis_url: str, sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """A shop of its own, for an administrator leaves nothing as it was."""
    home = tmp_path_factory.mktemp("fuzz")
    async with copied_database(postgres_url, template) as url:
        settings = shop_settings(url, redis_database(redis_url, 8), sandbox, home / "media")
        settings = settings.model_copy(update={"response_cache_seconds": 60.0})
        async with open_shop(settings) as shop:
            await add_delivery(shop.database)
            for _ in range(3):
                await add_product(shop.database)
            await _open_accounts(shop)
        with running_apis(settings, home, 1) as (api_url,):
            yield api_url


@pytest.mark.parametrize(
    ("run", "options"),
    [
        (Run(), ("--phases", "examples,fuzzing", "--max-examples", "2")),
        (Run(CUSTOMER, NEIGHBOUR), ("--phases", "examples,stateful", "--max-examples", "20")),
        (Run(ADMIN), ("--phases", "examples,coverage")),
    ],
    ids=lambda value: value.name if isinstance(value, Run) else "",
)
async def test_nothing_is_found(api_url: str, run: Run, options: tuple[str, ...], tmp_path: Path) -> None:
    found = await asyncio.to_thread(fuzz, api_url, run, tmp_path, (*SEED, *options))

    assert found == 0, "see its report above"


async def _open_accounts(shop: Shop) -> None:
    password_hash = await shop.passwords.hash(PASSWORD)
    async with shop.database.transaction() as tx:
        for identity in (CUSTOMER, NEIGHBOUR, ADMIN):
            await tx.users.add(
                User(
                    email=identity.email,
                    password_hash=password_hash,
                    full_name=identity.name.title(),
                    role=Role.ADMIN if identity is ADMIN else Role.CUSTOMER,
                    email_verified_at=now(),
                )
            )
