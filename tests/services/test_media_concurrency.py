"""Pictures that come and go at the same time: on real connections, where commits are real."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr
from sqlalchemy import select

from app.core.threads import TooBusy
from app.errors import TooManyPictures
from app.gateways.media_store import MediaStore
from app.models.media import UnusedMedia
from app.models.products import Product, ProductMedia
from app.schemas.media import MOST_PICTURES, MediaRead
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.accounts import all_of, change
from tests.support.catalogue import OPENING, add_product
from tests.support.pictures import picture, saved
from tests.support.processes import eventually


class PausingStore(MediaStore):
    """A store that stops, where a test tells it to, until it may go on."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.pause_at = ""
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def put(self, key: str, data: bytes) -> None:
        await super().put(key, data)
        await self._maybe_pause("after put")

    async def delete(self, folder: str) -> None:
        await self._maybe_pause("before delete")
        await super().delete(folder)

    async def _maybe_pause(self, place: str) -> None:
        if place == self.pause_at:
            self.reached.set()
            await self.go_on.wait()


@pytest.fixture
async def shop(settings: Settings, fresh_database_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    own = {"database_url": SecretStr(fresh_database_url), "media_store": str(tmp_path / "media")}
    async with open_shop(settings.model_copy(update=own)) as shop:
        yield shop


@pytest.fixture
def store(shop: Shop) -> PausingStore:
    shop.media._store = store = PausingStore(shop.settings.media_store)
    return store


@pytest.fixture
async def tee(shop: Shop) -> Product:
    return await add_product(shop.database, "Tee", 1999)


def files(shop: Shop) -> list[str]:
    root = Path(shop.settings.media_store)
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


async def keys(shop: Shop) -> list[str]:
    return await all_of(shop.database, select(ProductMedia.key).distinct())


async def left_over(shop: Shop, tee: Product) -> None:
    """A picture that was deleted a long time ago, and whose file is still there."""
    added = await shop.media.add(tee.id, picture(), "")
    await shop.media.remove(tee.id, added.id, None)
    await change(shop.database, UnusedMedia, since=OPENING)
    assert len(files(shop)) == 1


async def test_the_same_picture_by_many_at_once(shop: Shop, tee: Product) -> None:
    mug = await add_product(shop.database, "Mug", 1)

    added = await asyncio.gather(*(shop.media.add(each.id, picture(), "") for each in (tee, mug) for _ in range(4)))

    assert len({each.url for each in added}) == 1
    assert len({each.id for each in added}) == 8
    assert sorted(each.position for each in added) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert files(shop) == await keys(shop)


async def test_many_at_once_do_not_make_too_many(shop: Shop, tee: Product) -> None:
    places = asyncio.Semaphore(8)

    async def add(number: int) -> MediaRead:
        async with places:
            return await shop.media.add(tee.id, picture(size=(number + 1, 9)), "")

    outcomes = await asyncio.gather(*(add(number) for number in range(MOST_PICTURES + 6)), return_exceptions=True)

    added = [outcome for outcome in outcomes if isinstance(outcome, MediaRead)]
    assert sorted(each.position for each in added) == list(range(MOST_PICTURES))
    assert [type(outcome) for outcome in outcomes if outcome not in added] == [TooManyPictures] * 6


async def test_a_storm_is_refused_beyond_the_queue_and_the_queue_is_served(shop: Shop, tee: Product) -> None:
    large = saved(Image.effect_noise((900, 900), 90))

    outcomes = await asyncio.gather(*(shop.media.add(tee.id, large, "") for _ in range(12)), return_exceptions=True)

    assert sum(isinstance(outcome, MediaRead) for outcome in outcomes) == 8
    assert sum(isinstance(outcome, TooBusy) for outcome in outcomes) == 4


async def test_reads_go_on_beside_uploads(shop: Shop, tee: Product) -> None:
    large = saved(Image.effect_noise((1500, 1500), 90))
    uploads = asyncio.gather(*(shop.media.add(tee.id, large, "") for _ in range(3)))

    reads = 0
    while not uploads.done():
        await shop.products.published(tee.slug)
        reads += 1

    assert reads > 50
    assert len(await uploads) == 3


async def test_moves_and_deletions_at_once_leave_no_gap(shop: Shop, tee: Product) -> None:
    added = [await shop.media.add(tee.id, picture(size=(number + 1, 9)), "") for number in range(8)]

    await asyncio.gather(
        *(shop.media.update(tee.id, each.id, None, {"position": 0}) for each in added[:5]),
        *(shop.media.remove(tee.id, each.id, None) for each in added[5:]),
        shop.media.add(tee.id, picture(size=(90, 9)), ""),
    )

    rows = await all_of(shop.database, select(ProductMedia).order_by(ProductMedia.position))
    assert [row.position for row in rows] == list(range(6))
    assert {row.id for row in rows} > {each.id for each in added[:5]}


async def test_an_upload_beside_the_sweep_waits_and_stores_again(shop: Shop, store: PausingStore, tee: Product) -> None:
    await left_over(shop, tee)
    store.pause_at = "before delete"
    sweeping = asyncio.create_task(shop.media.purge_unused())
    await store.reached.wait()

    uploading = asyncio.create_task(shop.media.add(tee.id, picture(), ""))
    await eventually(lambda: waits_for_a_lock(shop))
    store.go_on.set()
    added = await uploading

    assert await sweeping == 1
    assert files(shop) == await keys(shop)
    assert added.url.endswith(files(shop)[0])


async def waits_for_a_lock(shop: Shop) -> bool:
    waiting = (
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with shop.database.snapshot() as tx:
        return bool((await (await tx.session.connection()).exec_driver_sql(waiting)).scalar_one())


async def test_the_sweep_passes_over_what_is_being_uploaded(shop: Shop, store: PausingStore, tee: Product) -> None:
    await left_over(shop, tee)
    store.pause_at = "after put"
    uploading = asyncio.create_task(shop.media.add(tee.id, picture(), ""))
    await store.reached.wait()

    assert await shop.media.purge_unused() == 0
    store.go_on.set()
    await uploading

    assert files(shop) == await keys(shop)


async def test_a_deletion_beside_an_upload_of_the_same_picture(shop: Shop, store: PausingStore, tee: Product) -> None:
    added = await shop.media.add(tee.id, picture(), "")
    mug = await add_product(shop.database, "Mug", 1)
    store.pause_at = "after put"
    uploading = asyncio.create_task(shop.media.add(mug.id, picture(), ""))
    await store.reached.wait()

    await shop.media.remove(tee.id, added.id, None)
    await shop.media.purge_unused()
    store.go_on.set()
    await uploading
    await change(shop.database, UnusedMedia, since=OPENING)
    await shop.media.purge_unused()

    assert files(shop) == await keys(shop)
    assert await all_of(shop.database, select(UnusedMedia.key)) == []


async def test_two_sweeps_share_the_work(shop: Shop, store: PausingStore, tee: Product) -> None:
    await left_over(shop, tee)
    store.pause_at = "before delete"
    first = asyncio.create_task(shop.media.purge_unused())
    await store.reached.wait()

    assert await shop.media.purge_unused() == 0
    store.go_on.set()
    assert await first == 1
    assert files(shop) == []


async def test_a_sweep_that_is_cut_off_is_done_again(shop: Shop, store: PausingStore, tee: Product) -> None:
    await left_over(shop, tee)
    store.pause_at = "before delete"
    sweeping = asyncio.create_task(shop.media.purge_unused())
    await store.reached.wait()

    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    store.pause_at = ""

    assert len(files(shop)) == 1
    assert await shop.media.purge_unused() == 1
    assert files(shop) == []
