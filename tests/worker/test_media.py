"""Pictures in a real worker: smaller sizes soon after an upload, and files that go when nobody needs them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from celery import Celery
from pydantic import SecretStr
from sqlalchemy import select

from app.models.media import UnusedMedia
from app.models.platform import OutboxEvent, ProcessedEvent
from app.models.products import Product, ProductMedia
from app.models.users import Role
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.accounts import all_of, change
from tests.support.catalogue import API, OPENING, add_product
from tests.support.databases import copied_database
from tests.support.pictures import opened, picture, upload
from tests.support.processes import RELAY, WORKER, Program, eventually, redis_database, running
from tests.support.shopping import signed_in
from worker.consumers import Event, consume


@pytest.fixture(scope="module")
async def own_settings(
    postgres_url: str,
    template: str,
    redis_url: str,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Settings]:
    async with copied_database(postgres_url, template) as url:
        own = {
            "database_url": SecretStr(url),
            "redis_url": SecretStr(redis_database(redis_url, 10)),
            "media_store": str(tmp_path_factory.mktemp("media")),
        }
        yield settings.model_copy(update=own)


@pytest.fixture(scope="module")
async def shop(own_settings: Settings) -> AsyncIterator[Shop]:
    async with open_shop(own_settings) as shop:
        yield shop


@pytest.fixture(scope="module")
def worker(own_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    home = tmp_path_factory.mktemp("worker")
    with running(RELAY, own_settings, home), running(WORKER, own_settings, home) as worker:
        yield worker


@pytest.fixture
async def tee(shop: Shop) -> Product:
    return await add_product(shop.database, "Tee", 1999)


async def renditions_of(shop: Shop, media_id: object) -> list[dict[str, Any]]:
    [renditions] = await all_of(
        shop.database, select(ProductMedia.renditions).where(ProductMedia.id == UUID(str(media_id)))
    )
    return list(renditions)


async def content(shop: Shop, key: str) -> bytes:
    return await (await shop.media.open(key)).read()


async def test_an_upload_gets_its_smaller_sizes(
    client: httpx.AsyncClient, shop: Shop, worker: Program, tee: Product
) -> None:
    staff = await signed_in(shop, Role.CATALOG)

    created = (await upload(client, tee.id, picture(size=(1500, 1000)), staff)).json()
    made = await eventually(lambda: renditions_of(shop, created["id"]))

    assert [(each["width"], each["height"]) for each in made] == [(320, 213), (640, 427), (1280, 853)]
    for each in made:
        assert opened(await content(shop, each["key"])).size == (each["width"], each["height"])
    shown = (await client.get(f"{API}/products/{tee.id}/media/{created['id']}", headers=staff)).json()
    base = created["url"].rpartition("/")[0]
    assert shown == created | {
        "renditions": [
            {"url": f"{base}/{width}.webp", "width": width, "height": height}
            for width, height in ((320, 213), (640, 427), (1280, 853))
        ]
    }
    card = next(card for card in (await client.get(f"{API}/products")).json()["data"] if card["id"] == str(tee.id))
    assert card["thumbnail"] == {"url": f"{base}/320.webp", "alt": "A tee"}
    assert (await client.get(f"{API}/products/{tee.slug}")).json()["media"] == [shown]


async def test_files_nobody_needs_are_purged_by_the_clock(shop: Shop, worker: Program, tee: Product) -> None:
    added = await shop.media.add(tee.id, picture(size=(900, 9)), "")
    await eventually(lambda: renditions_of(shop, added.id))
    await shop.media.remove(tee.id, added.id, None)
    await change(shop.database, UnusedMedia, since=OPENING)

    with Celery(broker=shop.settings.redis_url.get_secret_value(), set_as_current=False) as clock:
        clock.send_task("emporium.purge_unused_media", queue="bulk")

    folder = Path(shop.settings.media_store, added.url.partition("/media/")[2]).parent

    async def gone() -> bool:
        return not folder.exists() and await all_of(shop.database, select(UnusedMedia.key)) == []

    await eventually(gone)


# Without the worker: what its task does when it runs again, or too late


async def event_of(shop: Shop, media_id: UUID) -> Event:
    statement = select(OutboxEvent).where(OutboxEvent.aggregate_id == media_id)
    [row] = await all_of(shop.database, statement)
    return Event.of(row)


async def test_the_task_may_run_again(shop: Shop, tee: Product) -> None:
    added = await shop.media.add(tee.id, picture(size=(700, 350)), "")
    event = await event_of(shop, added.id)

    await shop.media.make_renditions(added.id)
    once = await renditions_of(shop, added.id)
    await shop.media.make_renditions(added.id)
    await consume(shop, "media", event)
    await consume(shop, "media", event)

    assert await renditions_of(shop, added.id) == once
    assert [each["width"] for each in once] == [320, 640]
    assert (
        len(await all_of(shop.database, select(ProcessedEvent).where(ProcessedEvent.event_id == event.event_id))) == 1
    )


async def test_every_product_that_shows_the_picture_gets_them(shop: Shop, tee: Product) -> None:
    mug = await add_product(shop.database, "Mug", 1)
    on_tee, on_mug = [await shop.media.add(each.id, picture(size=(500, 50)), "") for each in (tee, mug)]

    await shop.media.make_renditions(on_tee.id)

    assert len(await renditions_of(shop, on_mug.id)) == 1
    assert await renditions_of(shop, on_mug.id) == await renditions_of(shop, on_tee.id)


async def test_a_small_picture_has_no_smaller_sizes(shop: Shop, tee: Product) -> None:
    added = await shop.media.add(tee.id, picture(size=(320, 50)), "")

    await shop.media.make_renditions(added.id)

    assert await renditions_of(shop, added.id) == []


async def test_a_picture_that_was_deleted_meanwhile_is_let_go(shop: Shop, tee: Product) -> None:
    added = await shop.media.add(tee.id, picture(size=(600, 60)), "")
    await shop.media.remove(tee.id, added.id, None)

    await shop.media.make_renditions(added.id)
    await shop.media.make_renditions(uuid4())

    assert len(list(Path(shop.settings.media_store, added.url.partition("/media/")[2]).parent.iterdir())) == 1
