"""Staff say what pictures show, put them in order and delete them."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select

from app.database import Database
from app.models.media import UnusedMedia
from app.models.products import Product, ProductMedia
from app.shop import Shop
from tests.support.accounts import all_of, change
from tests.support.catalogue import API, OPENING, add_product
from tests.support.pictures import picture, upload
from tests.support.problems import problem_of
from tests.support.rows import rows

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
async def rack(database: Database) -> Product:
    """A product with the pictures a, b, c and d."""
    return await add_product(database, "Rack", 1999, slug="rack", pictures=["a", "b", "c", "d"])


async def order(client: httpx.AsyncClient) -> list[tuple[str, int]]:
    page = (await client.get(f"{API}/products/rack")).json()
    return [(each["url"].rpartition("/")[2], each["position"]) for each in page["media"]]


def in_order(letters: str) -> list[tuple[str, int]]:
    return [(letter, place) for place, letter in enumerate(letters)]


def address(product: Product, place: int) -> str:
    return f"{API}/products/{product.id}/media/{product.media[place].id}"


@pytest.mark.parametrize(
    ("place", "position", "expected"),
    [(3, 0, "dabc"), (0, 3, "bcda"), (1, 2, "acbd"), (2, 1, "acbd"), (1, 1, "abcd"), (0, 19, "bcda")],
)
async def test_a_picture_is_moved_and_the_others_make_room(
    client: httpx.AsyncClient, staff: dict[str, str], rack: Product, place: int, position: int, expected: str
) -> None:
    response = await client.patch(address(rack, place), json={"position": position}, headers=staff)

    assert response.status_code == 200, response.text
    assert response.json()["position"] == min(position, 3)
    assert await order(client) == in_order(expected)


async def test_what_is_not_sent_stays(client: httpx.AsyncClient, staff: dict[str, str], rack: Product) -> None:
    described = (await client.patch(address(rack, 1), json={"alt": "From behind"}, headers=staff)).json()
    moved = (await client.patch(address(rack, 1), json={"position": 0}, headers=staff)).json()

    assert (described["alt"], described["position"]) == ("From behind", 1)
    assert (moved["alt"], moved["position"]) == ("From behind", 0)
    assert (await client.get(f"{API}/products/rack")).json()["version"] == 3


@pytest.mark.parametrize(
    "body",
    [
        {"position": -1},
        {"position": 20},
        {"position": "1"},
        {"position": None},
        {"alt": None},
        {"alt": "x" * 501},
        {"alt": "\0"},
        {"url": "x"},
        {"key": "x"},
        [],
    ],
)
async def test_a_wrong_edit_is_refused(
    client: httpx.AsyncClient, staff: dict[str, str], rack: Product, body: Any
) -> None:
    problem = problem_of(await client.patch(address(rack, 0), json=body, headers=staff))

    assert problem["code"] == "validation_failed"
    assert await order(client) == in_order("abcd")


async def test_deleting_closes_the_gap_and_leaves_the_key_to_the_sweep(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], rack: Product
) -> None:
    assert (await client.delete(address(rack, 1), headers=staff)).status_code == 204

    assert await order(client) == in_order("acd")
    assert await all_of(database, select(UnusedMedia.key)) == ["b"]
    assert problem_of(await client.delete(address(rack, 1), headers=staff))["code"] == "not_found"
    assert (await client.get(f"{API}/products/rack")).json()["version"] == 2


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_picture_of_another_product_is_not_found(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], rack: Product, tee: Product, method: str
) -> None:
    before = await rows(database)

    for path in (f"{tee.id}/media/{rack.media[0].id}", f"{rack.id}/media/{NOBODY}", f"{NOBODY}/media/{NOBODY}"):
        response = await client.request(method, f"{API}/products/{path}", json={"alt": "x"}, headers=staff)
        assert problem_of(response)["code"] == "not_found"
    assert await rows(database) == before
    assert (await client.get(f"{API}/products/rack")).json()["version"] == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_an_edit_of_what_somebody_else_changed_fails(
    client: httpx.AsyncClient, staff: dict[str, str], rack: Product, method: str
) -> None:
    stale, current = staff | {"If-Match": '"v9"'}, staff | {"If-Match": '"v1"'}

    refused = await client.request(method, address(rack, 0), json={"alt": "x"}, headers=stale)
    done = await client.request(method, address(rack, 0), json={"alt": "x"}, headers=current)

    assert problem_of(refused)["code"] == "precondition_failed"
    assert done.is_success


async def test_every_road_to_a_deleted_row_leaves_the_key(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str]
) -> None:
    bare = await add_product(database, "Bare", slug="bare", pictures=["y", "x", "x"])
    other = await add_product(database, "Other", slug="other", pictures=["z"])

    await client.delete(f"{API}/products/{bare.id}", headers=staff | {"If-Match": '"v1"'})
    async with database.transaction() as tx:
        await tx.session.execute(delete(ProductMedia).where(ProductMedia.product_id == other.id))

    assert sorted(await all_of(database, select(UnusedMedia.key))) == ["x", "y", "z"]


# The sweep


async def test_files_go_a_day_after_the_last_picture_that_needs_them(
    client: httpx.AsyncClient,
    shop: Shop,
    database: Database,
    staff: dict[str, str],
    tee: Product,
    files: Callable[[], list[str]],
) -> None:
    mug = await add_product(database, "Mug", 1)
    on_tee = (await upload(client, tee.id, picture(size=(700, 400)), staff)).json()
    on_mug = (await upload(client, mug.id, picture(size=(700, 400)), staff)).json()
    await shop.media.make_renditions(on_tee["id"])
    assert len(files()) == 3

    async def delete_from(product: Product, item: Any) -> None:
        assert (await client.delete(f"{API}/products/{product.id}/media/{item['id']}", headers=staff)).is_success

    await delete_from(tee, on_tee)
    await change(database, UnusedMedia, since=OPENING)
    assert await shop.media.purge_unused() == 1
    assert len(files()) == 3, "the mug still shows it"

    await delete_from(mug, on_mug)
    assert await shop.media.purge_unused() == 0
    assert len(files()) == 3, "it was deleted just now"

    await change(database, UnusedMedia, since=OPENING)
    assert await shop.media.purge_unused() == 1
    assert files() == []
    assert await all_of(database, select(UnusedMedia.key)) == []
    assert await shop.media.purge_unused() == 0


async def test_what_an_upload_left_that_never_came_to_an_end_goes(
    shop: Shop, database: Database, store: Any, files: Callable[[], list[str]]
) -> None:
    key = f"00/{'0' * 38}/60.webp"
    (store / key).parent.mkdir(parents=True)
    (store / key).write_bytes(picture("WEBP"))
    async with database.transaction() as tx:
        await tx.media.note_upload(key)
        await tx.media.note_upload(f"11/{'1' * 38}/60.webp")  # and this one did not even store anything

    assert await shop.media.purge_unused() == 0
    await change(database, UnusedMedia, since=OPENING)
    assert await shop.media.purge_unused() == 2

    assert files() == []
    assert list(store.iterdir()) == []
