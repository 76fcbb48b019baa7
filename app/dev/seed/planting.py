"""The order in which a demo shop comes into being, in one transaction: all of it, or nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from asyncpg import Connection
from rich.progress import Progress

from app.core.encryption import KeyRing
from app.core.passwords import PasswordHasher
from app.core.reader import Query
from app.dev.seed.catalogue import assortment, departments
from app.dev.seed.delivery import write_delivery
from app.dev.seed.ids import Ids
from app.dev.seed.loader import Loader
from app.dev.seed.orders import FIRST_NUMBER, History
from app.dev.seed.people import OPENED, write_people
from app.dev.seed.pictures import hang
from app.dev.seed.products import Catalogue, scenes_of
from app.dev.seed.reviews import Critics
from app.dev.seed.stock import Warehouse
from app.dev.seed.stocktaking import take_stock
from app.gateways.media_store import MediaStore
from app.models.users import Role
from app.repositories.listings.sales import counting_of_sales

DEMO_PASSWORD = "emporium-demo"  # noqa: S105  # public on purpose: the accounts exist in development only
SEED = 20_260_101


@dataclass(frozen=True)
class Size:
    """How large a shop. `products` None means every hand-written one."""

    products: int | None = None
    orders: int = 150


async def plant(
    connection: "Connection[Any]", keys: KeyRing, store: MediaStore, size: Size, now: datetime, progress: Progress
) -> bool:
    """Fill an empty shop; False when there is something in it already."""
    async with connection.transaction():
        # One seed at a time: a second one waits here and then finds the shop filled.
        await connection.execute("LOCK TABLE products IN SHARE ROW EXCLUSIVE MODE")
        if await connection.fetchval("SELECT EXISTS (SELECT FROM products) OR EXISTS (SELECT FROM users)"):
            return False
        await _fill(connection, keys, store, size, now, progress)
    await connection.execute("ANALYZE")
    return True


async def _fill(
    connection: "Connection[Any]", keys: KeyRing, store: MediaStore, size: Size, now: datetime, progress: Progress
) -> None:
    # asyncpg knows the binary form of built-in types only; citext's is that of text.
    await connection.set_type_codec("citext", encoder=str.encode, decoder=bytes.decode, format="binary")
    await connection.execute("SELECT set_config('app.listings', 'later', true)")  # once, rather than at every COPY
    with _no_garbage_collection():
        async with Loader(connection, keys) as loader:
            orders = await _write(loader, store, size, now, progress)
    await connection.execute("SELECT refresh_listings(ARRAY (SELECT id FROM products))")
    sales = Query(counting_of_sales())
    await connection.execute(sales.sql, *sales.arguments({}))
    await connection.execute("SELECT setval('order_numbers', $1, false)", FIRST_NUMBER + orders)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Hundreds of thousands of rows are alive and in no cycle: looking for cycles costs a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _write(loader: Loader, store: MediaStore, size: Size, now: datetime, progress: Progress) -> int:
    """Write everything; return the number of orders."""
    random = Random(SEED)  # noqa: S311  # the same shop every time is the purpose
    ids = Ids(random)
    warehouse = Warehouse(loader, ids)
    catalogue = Catalogue(loader, ids, random, warehouse, now)

    delivery = write_delivery(loader, ids, now - OPENED)
    people = write_people(loader, ids, await _demo_password_hash(), now)

    tree = departments()
    catalogue.write_categories(tree)
    articles = list(assortment(tree, size.products))
    pictures = await hang(store, (scene for article in articles for scene in scenes_of(article)))
    for _ in progress.track(catalogue.write(articles, pictures), len(articles), description="products"):
        await loader.make_room()

    history = History(loader, ids, random, warehouse, delivery, people.buyers, catalogue.for_sale)
    orders = size.orders if catalogue.for_sale else 0  # the smallest shop may have nothing to sell
    for _ in progress.track(history.write(orders, now), orders, description="orders"):
        await loader.make_room()

    critics = Critics(loader, ids, random, people.critics, history.bought, people.staff[Role.SUPPORT], now)
    on_sale = catalogue.on_sale
    for _ in progress.track(critics.write(on_sale), len(on_sale), description="reviews"):
        await loader.make_room()

    take_stock(warehouse, ids, people.staff[Role.WAREHOUSE], catalogue.for_sale[::5], now)
    for _ in progress.track(warehouse.count(), warehouse.size, description="stock levels"):
        await loader.make_room()
    return orders


async def _demo_password_hash() -> str:
    """Hashed once for all accounts: Argon2 takes its time by design."""
    hasher = PasswordHasher()
    try:
        return await hasher.hash(DEMO_PASSWORD)
    finally:
        hasher.close()
