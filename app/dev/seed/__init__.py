"""`shop seed`: a believable demo shop out of a deterministic generator.

The same size gives the same shop, down to the ids; dates are relative to now. Texts are data (`texts/`), rows travel
by COPY, and what the shop computes (prices, taxes, option keys) is computed by the shop's own functions.
"""

import asyncio
from datetime import datetime

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import make_url

from app.core import clock
from app.core.encryption import KeyRing
from app.dev.seed.planting import DEMO_PASSWORD, Size, plant
from app.gateways.media_store import MediaStore
from app.settings import Environment, Settings

__all__ = ["DEMO_PASSWORD", "SeedRefused", "seed", "seed_shop"]


class SeedRefused(RuntimeError):
    """This shop must not be seeded. The message says why."""


def seed(settings: Settings, *, products: int | None = None, orders: int = Size.orders) -> bool:
    """Fill an empty, migrated database and show the progress; False when the shop was filled already.

    `products` None means every hand-written product; a larger number adds editions of them.

    Raises:
        SeedRefused: in production, since everybody knows the demo accounts' password.
    """
    return asyncio.run(seed_shop(settings, Size(products, orders)))


async def seed_shop(settings: Settings, size: Size, now: datetime | None = None) -> bool:
    """`seed` for those who have an event loop, and a day of their own."""
    if settings.environment is Environment.PRODUCTION:
        raise SeedRefused(
            "Not in production: the demo accounts, an administrator among them, have a password that everybody knows."
        )
    console = Console(stderr=True)
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql")
    # Not through `Database`: its connections give up a statement after seconds.
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        with _progress(console) as progress:
            keys, store = KeyRing(settings.encryption_secrets()), MediaStore(settings.media_store)
            seeded = await plant(connection, keys, store, size, now or clock.now(), progress)
    finally:
        await connection.close()
    console.print("The demo shop is ready." if seeded else "Already seeded: there are products or accounts in it.")
    return seeded


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
