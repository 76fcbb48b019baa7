"""Staff give products pictures."""

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import ExifTags, Image, ImageCms
from sqlalchemy import select

from app.database import Database
from app.models.media import UnusedMedia
from app.models.platform import OutboxEvent
from app.models.products import Product
from app.models.users import Role
from app.schemas.media import MOST_PICTURES
from app.services.images import MAX_SIDE
from app.shop import Shop
from tests.support.accounts import all_of
from tests.support.catalogue import API, add_product
from tests.support.pictures import opened, picture, saved, upload
from tests.support.problems import problem_of
from tests.support.rows import rows
from tests.support.shopping import signed_in

Files = Callable[[], list[str]]
RED, BLUE = (255, 0, 0), (0, 0, 255)


def at(picture: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    colour = picture.getpixel(place)
    assert isinstance(colour, tuple)
    return colour


def alike(colour: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(mine - theirs) < 12 for mine, theirs in zip(colour, other, strict=False))


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_is_taken_and_shown(
    client: httpx.AsyncClient, shop: Shop, database: Database, staff: dict[str, str], tee: Product, format_: str
) -> None:
    response = await upload(client, tee.id, picture(format_), staff, alt="A tee from the front")

    assert response.status_code == 201, response.text
    created = response.json()
    assert response.headers["location"] == f"{API}/products/{tee.id}/media/{created['id']}"
    assert (await client.get(response.headers["location"], headers=staff)).json() == created
    assert (
        created.items()
        >= {
            "alt": "A tee from the front",
            "width": 60,
            "height": 40,
            "position": 0,
            "renditions": [],
        }.items()
    )
    assert created["url"].startswith(f"{shop.settings.public_url}/media/")
    stored = opened((await client.get(urlsplit(created["url"]).path)).content)
    assert (stored.format, stored.size) == ("WEBP", (60, 40))
    assert alike(at(stored, (10, 20)), RED)
    assert alike(at(stored, (50, 20)), BLUE)
    page = (await client.get(f"{API}/products/tee")).json()
    assert page["media"] == [created]
    assert page["version"] == 2
    assert (await client.get(f"{API}/products")).json()["data"][0]["thumbnail"] == {
        "url": created["url"],
        "alt": "A tee from the front",
    }
    assert await all_of(database, select(OutboxEvent.type).order_by(OutboxEvent.position)) == [
        "product.updated",
        "media.uploaded",
    ]


async def test_a_camera_s_orientation_is_applied_and_nothing_of_it_is_kept(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product, files: Files
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned clockwise
    exif[ExifTags.Base.Make] = "A camera of mine"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photograph = picture("JPEG", exif=exif, icc_profile=profile, comment=b"taken at home")
    assert b"A camera of mine" in photograph
    assert b"taken at home" in photograph

    created = (await upload(client, tee.id, photograph, staff)).json()

    assert (created["width"], created["height"]) == (40, 60)
    data = (await client.get(urlsplit(created["url"]).path)).content
    stored = opened(data)
    assert stored.size == (40, 60)
    assert alike(at(stored, (20, 10)), RED)
    assert alike(at(stored, (20, 50)), BLUE)
    assert not stored.info.keys() & {"exif", "icc_profile", "xmp", "comment"}
    assert not stored.getexif()
    assert data[12:16] == b"VP8 ", "one chunk, which is the picture"
    assert len(data) == 20 + int.from_bytes(data[16:20], "little")
    assert len(files()) == 1


@pytest.mark.parametrize(
    ("format_", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("JPEG", "CMYK"), ("WEBP", "RGBA")]
)
async def test_colours_of_every_kind_are_taken(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product, format_: str, mode: str
) -> None:
    created = (await upload(client, tee.id, picture(format_, mode=mode), staff)).json()

    stored = opened((await client.get(urlsplit(created["url"]).path)).content)
    assert (stored.format, stored.mode, stored.size) == ("WEBP", "RGB", (60, 40))
    if mode not in {"L", "1"}:
        assert alike(at(stored, (10, 20)), RED)


async def test_transparency_is_kept(client: httpx.AsyncClient, staff: dict[str, str], tee: Product) -> None:
    sticker = opened(picture(mode="RGBA"))
    sticker.paste((0, 0, 0, 0), (0, 0, 30, 30))

    created = (await upload(client, tee.id, saved(sticker), staff)).json()

    stored = opened((await client.get(urlsplit(created["url"]).path)).content)
    assert [at(stored, place)[3] for place in ((5, 5), (50, 35))] == [0, 255]


async def test_a_large_picture_is_made_smaller(client: httpx.AsyncClient, staff: dict[str, str], tee: Product) -> None:
    created = (await upload(client, tee.id, picture("JPEG", (5000, 2500)), staff)).json()

    assert (created["width"], created["height"]) == (MAX_SIDE, MAX_SIDE // 2)


async def test_the_same_picture_is_kept_once(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tee: Product, files: Files
) -> None:
    mug = await add_product(database, "Mug", 1)

    first = (await upload(client, tee.id, picture(), staff)).json()
    second = (await upload(client, mug.id, picture(), staff, alt="On the mug")).json()
    again = (await upload(client, tee.id, picture(), staff)).json()

    assert first["url"] == second["url"] == again["url"]
    assert [first["position"], second["position"], again["position"]] == [0, 0, 1]
    assert len({first["id"], second["id"], again["id"]}) == 3
    (name,) = files()
    assert first["url"].endswith(f"/media/{name}")
    folder, digest, _ = name.split("/")
    data = (await client.get(f"/media/{name}")).content
    assert hashlib.sha256(data).hexdigest().startswith(folder + digest)


async def test_an_upload_notes_its_key_before_there_is_an_object(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], tee: Product, files: Files
) -> None:
    await upload(client, tee.id, picture(), staff)

    assert await all_of(database, select(UnusedMedia.key)) == files()


async def test_a_name_and_a_type_are_only_claims(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product, files: Files
) -> None:
    for name, type_ in (
        ("../../../etc/cron.d/evil", "text/html"),
        ("..\\..\\evil.exe", "application/x-msdownload"),
        ("evil.php\x00.png", "image/svg+xml"),
        ("<script>.svg", "image/gif"),
        ("x" * 200, ""),
    ):
        response = await client.post(
            f"{API}/products/{tee.id}/media", files={"file": (name, picture("PNG"), type_)}, headers=staff
        )
        assert response.status_code == 201, response.text
        assert response.json()["alt"] == ""
    (only,) = files()
    assert only.endswith(".webp")


async def test_a_product_has_so_many_pictures_and_no_more(
    client: httpx.AsyncClient, database: Database, staff: dict[str, str], files: Files
) -> None:
    full = await add_product(database, "Full", 1, pictures=[f"{place}.webp" for place in range(MOST_PICTURES)])
    before = await rows(database)

    problem = problem_of(await upload(client, full.id, picture(), staff))

    assert (problem["code"], problem["maximum"]) == ("too_many_pictures", MOST_PICTURES)
    assert await rows(database) == before
    assert files() == []


@pytest.mark.parametrize("role", [None, Role.CUSTOMER, Role.SUPPORT, Role.WAREHOUSE])
async def test_only_the_staff_of_the_catalogue(
    client: httpx.AsyncClient, shop: Shop, database: Database, tee: Product, role: Role | None, files: Files
) -> None:
    rack = await add_product(database, "Rack", 1, pictures=["rack.webp"])
    headers = await signed_in(shop, role) if role else {}
    before = await rows(database)
    item = f"{API}/products/{rack.id}/media/{rack.media[0].id}"

    responses = [
        await upload(client, tee.id, picture(), headers),
        await client.get(item, headers=headers),
        await client.patch(item, json={"alt": "x"}, headers=headers),
        await client.delete(item, headers=headers),
    ]

    assert {response.status_code for response in responses} == {403 if role else 401}
    assert await rows(database) == before
    assert files() == []


async def test_a_body_is_not_read_from_those_who_may_not_send_it(client: httpx.AsyncClient, tee: Product) -> None:
    async def body() -> Any:
        pytest.fail("it was read")
        yield b""

    response = await client.post(
        f"{API}/products/{tee.id}/media",
        content=body(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )

    assert problem_of(response)["code"] == "invalid_token"


async def test_a_product_that_is_none(client: httpx.AsyncClient, staff: dict[str, str], files: Files) -> None:
    response = await upload(client, "00000000-0000-7000-8000-000000000000", picture(), staff)

    assert problem_of(response)["code"] == "not_found"
    assert files() == []
