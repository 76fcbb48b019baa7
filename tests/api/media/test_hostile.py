"""Uploads that mean harm: each is refused with a clear problem, and leaves nothing behind."""

import io
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from PIL import Image

from app.database import Database
from app.models.products import Product
from app.services.image_files import MOST_PARTS
from app.shop import Shop
from tests.support.catalogue import API
from tests.support.pictures import chunk, moving, picture, png, saved, upload, with_chunks
from tests.support.problems import problem_of
from tests.support.rows import rows

SCRIPT = b"<script>alert(document.domain)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><html><body>" + SCRIPT
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
JPEG, PNG, WEBP = picture("JPEG"), picture("PNG"), picture("WEBP")


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("evil.txt", "x")
    return file.getvalue()


def noise(format_: str) -> bytes:
    return saved(Image.effect_noise((200, 200), 90).convert("RGB"), format_)


def wide_webp(flags: int = 0) -> bytes:
    """Extended WebP of 16,384 x 16,384 pixels, by its header."""
    content = b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes([flags, 0, 0, 0]) + b"\xff\x3f\x00" * 2
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def wide_jpeg() -> bytes:
    frame = JPEG.index(b"\xff\xc0")
    return JPEG[: frame + 5] + b"\xff\xff\xff\xff" + JPEG[frame + 9 :]


REFUSED = {
    # No pictures, or of a kind that is not taken
    "empty": (b"", "unsupported_media_type"),
    "a text": (b"just a text, named picture.png", "unsupported_media_type"),
    "a page": (HTML, "unsupported_media_type"),
    "SVG with a script": (SVG, "unsupported_media_type"),
    "GIF that is JavaScript": (b"GIF89a/*\x00\x01\x00\x00*/=1;alert(1)", "unsupported_media_type"),
    "GIF": (saved(Image.new("P", (9, 9)), "GIF"), "unsupported_media_type"),
    "TIFF": (saved(Image.new("RGB", (9, 9)), "TIFF"), "unsupported_media_type"),
    "BMP": (saved(Image.new("RGB", (9, 9)), "BMP"), "unsupported_media_type"),
    "PDF": (b"%PDF-1.7\n" + JPEG, "unsupported_media_type"),
    "ZIP": (archive(), "unsupported_media_type"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported_media_type"),
    "a picture behind a page": (HTML + PNG, "unsupported_media_type"),
    "half a signature": (PNG[:7], "unsupported_media_type"),
    "a sound in RIFF": (b"RIFF\x04\x00\x00\x00WAVE", "unsupported_media_type"),
    # Polyglots
    "JPEG with a page behind it": (JPEG + HTML, "not_only_an_image"),
    "JPEG with an archive behind it": (JPEG + archive(), "not_only_an_image"),
    "PNG with a script behind it": (PNG + SCRIPT, "not_only_an_image"),
    "PNG with an archive behind it": (PNG + archive(), "not_only_an_image"),
    "WebP with a page behind it": (WEBP + HTML, "not_only_an_image"),
    # Damaged
    "a signature of JPEG": (b"\xff\xd8\xff", "image_unreadable"),
    "a signature of JPEG and a page": (b"\xff\xd8\xff\xe0" + HTML, "image_unreadable"),
    "a signature of PNG and a page": (PNG[:8] + HTML * 9, "image_unreadable"),
    "a signature of WebP": (WEBP[:12], "image_unreadable"),
    "half a JPEG": (noise("JPEG")[:5000], "image_unreadable"),
    "half a JPEG with an end": (noise("JPEG")[:300] + b"\xff\xd9", "image_unreadable"),
    "half a PNG": (noise("PNG")[:5000], "image_unreadable"),
    "half a WebP": (noise("WEBP")[:5000], "image_unreadable"),
    "a PNG without a picture": (png(9, 9), "image_unreadable"),
    "a PNG whose picture is noise": (png(9, 9, chunk(b"IDAT", b"noise" * 99)), "image_unreadable"),
    "a PNG of no size": (png(0, 0, chunk(b"IDAT", zlib.compress(b""))), "image_unreadable"),
    "a PNG of half its rows": (png(99, 99, chunk(b"IDAT", zlib.compress(bytes(99 * 3)))), "image_unreadable"),
    "a PNG without an end": (PNG[:-12], "image_unreadable"),
    "a PNG with a broken sum": (PNG.replace(b"IDAT", b"IDAT\x00", 1)[:-1], "image_unreadable"),
    "a PNG of endless parts": (with_chunks(PNG, *[chunk(b"tEXt", b"a\0b")] * MOST_PARTS), "image_unreadable"),
    "a JPEG of endless parts": (b"\xff\xd8" + b"\xff\xfe\x00\x02" * MOST_PARTS + JPEG[2:], "image_unreadable"),
    "a JPEG of segments without a length": (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 999, "image_unreadable"),
    "a JPEG of padding": (b"\xff\xd8" + b"\xff" * 1_000_000, "image_unreadable"),
    "a WebP of nothing": (b"RIFF\x0c\x00\x00\x00WEBPVP8 \x00\x00\x00\x00", "image_unreadable"),
    "a WebP of another kind": (b"RIFF\x0c\x00\x00\x00WEBPXXXX\x00\x00\x00\x00", "image_unreadable"),
    # Bombs
    "a bomb in a PNG's profile": (
        with_chunks(PNG, chunk(b"iCCP", b"evil\0\0" + zlib.compress(bytes(5_000_000)))),
        "image_unreadable",
    ),
    "PNG of 30,000 x 30,000": (png(30_000, 30_000, chunk(b"IDAT", b"x")), "image_too_large"),
    "PNG of 2 billion a side": (png(2**31 - 1, 2**31 - 1), "image_too_large"),
    "PNG just too large": (png(5000, 5001, chunk(b"IDAT", b"x")), "image_too_large"),
    "WebP of 16,384 x 16,384": (wide_webp(), "image_too_large"),
    "JPEG of 65,535 x 65,535": (wide_jpeg(), "image_too_large"),
    "animated PNG": (moving("PNG"), "animated_image"),
    "animated WebP": (moving("WEBP", 200), "animated_image"),
    "animated WebP of 16,384 x 16,384": (wide_webp(flags=2), "animated_image"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused(
    client: httpx.AsyncClient,
    database: Database,
    staff: dict[str, str],
    tee: Product,
    files: Callable[[], list[str]],
    name: str,
) -> None:
    data, code = REFUSED[name]
    before = await rows(database)

    problem = problem_of(await upload(client, tee.id, data, staff))

    assert problem["code"] == code
    assert await rows(database) == before
    assert files() == []


HARMLESS = {
    "a page in a JPEG's comment": picture("JPEG", comment=HTML),
    "a page in a JPEG's EXIF": picture("JPEG", exif=b"Exif\0\0" + HTML),
    "PHP in a PNG's text": with_chunks(PNG, chunk(b"tEXt", b"Comment\0<?php system($_GET[0]);" + SCRIPT)),
    "a bomb in a PNG's text": with_chunks(
        PNG, *[chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SCRIPT + bytes(2_000_000)))] * 200
    ),
    "many profiles in a PNG": with_chunks(PNG, *[chunk(b"iCCP", b"evil\0\0" + zlib.compress(SCRIPT))] * 100),
    "a JPEG with a second one behind it, as phones make them": JPEG + picture("JPEG", (20, 20), comment=SCRIPT),
    "a JPEG of a Samsung camera": JPEG + SCRIPT + b"SEFT",
    "a JPEG with zeros behind it": picture("JPEG", comment=SCRIPT) + bytes(4096),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("name", HARMLESS)
async def test_it_is_taken_without_what_it_hides(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product, files: Callable[[], list[str]], name: str
) -> None:
    response = await upload(client, tee.id, HARMLESS[name], staff)

    assert response.status_code == 201, response.text
    (key,) = files()
    stored = (await client.get(f"/media/{key}")).content
    assert not [word for word in (b"script", b"<?php", b"evil", b"Exif", b"ICCP") if word in stored]
    assert len(stored) < 1000


# Forms


def form(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def part(name: str, content: bytes, *, filename: str | None = None, head: bytes = b"") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return disposition.encode() + b"\r\n" + head + b"\r\n" + content


HUGE = b"x" * 90_000
FILE = part("file", PNG, filename="p.png")
FORMS = {
    "no file": (form(part("alt", b"x")), "validation_failed"),
    "nothing": (form(), "validation_failed"),
    "no bytes at all": (b"", "malformed_body"),
    "a file that is a field": (form(part("file", PNG)), "validation_failed"),
    "a file of another name": (form(part("picture", PNG, filename="p.png")), "validation_failed"),
    "two files": (form(FILE, FILE), "malformed_body"),
    "two descriptions": (form(FILE, part("alt", b"x"), part("alt", b"y")), "validation_failed"),
    "an unknown field": (form(FILE, part("position", b"0")), "validation_failed"),
    "too many fields": (form(FILE, *[part("alt", b"x")] * 11), "malformed_body"),
    "ten thousand fields": (form(FILE, *[part(f"f{number}", b"") for number in range(10_000)]), "malformed_body"),
    "ten thousand files": (form(*[part("file", b"", filename="p.png")] * 10_000), "malformed_body"),
    "a description that is too long": (form(FILE, part("alt", b"x" * 501)), "validation_failed"),
    "a description of megabytes": (form(FILE, part("alt", b"x" * 900_000)), "malformed_body"),
    "a description with NUL": (form(FILE, part("alt", b"a\0b")), "validation_failed"),
    "a part with a huge header": (
        form(part("file", PNG, filename="p", head=b"X: " + HUGE + b"\r\n")),
        "malformed_body",
    ),
    "a part with many headers": (form(part("file", PNG, filename="p", head=b"X: x\r\n" * 5000)), "malformed_body"),
    "a part without a name": (form(b"Content-Disposition: form-data\r\n\r\nx"), "malformed_body"),
    "a part without headers": (form(b"\r\nx"), "malformed_body"),
    "no form": (b"just bytes", "malformed_body"),
    "half a form": (form(FILE)[:90], "malformed_body"),
    "a form without an end": (form(FILE)[:-5], "malformed_body"),
}


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_of_another_shape_is_refused(
    client: httpx.AsyncClient,
    database: Database,
    staff: dict[str, str],
    tee: Product,
    files: Callable[[], list[str]],
    name: str,
) -> None:
    body, code = FORMS[name]
    before = await rows(database)

    response = await client.post(f"{API}/products/{tee.id}/media", content=body, headers=staff | MULTIPART)

    assert problem_of(response)["code"] == code, response.text
    assert await rows(database) == before
    assert files() == []


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/json", "unsupported_media_type"),
        ("image/png", "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "unsupported_media_type"),
        ("", "unsupported_media_type"),
        ("multipart/form-data", "malformed_body"),
        ("multipart/form-data; boundary=", "malformed_body"),
        ("multipart/form-data; boundary=" + "b" * 300, "malformed_body"),
        ("multipart/form-data; boundary=other", "malformed_body"),
        ("multipart/form-data; boundary=b; charset=undefined", "malformed_body"),
    ],
)
async def test_a_form_says_that_it_is_one(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product, content_type: str, code: str
) -> None:
    body = form(FILE, part("alt", b"\xff"))

    response = await client.post(
        f"{API}/products/{tee.id}/media", content=body, headers=staff | {"Content-Type": content_type}
    )

    assert problem_of(response)["code"] == code, response.text


async def test_a_wrong_description_is_pointed_at(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product
) -> None:
    problem = problem_of(await upload(client, tee.id, PNG, staff, alt="x" * 501))

    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [("/alt", "string_too_long")]


# Size


class Endless:
    """A hundred megabytes in pieces of one, that count how many were taken."""

    def __init__(self) -> None:
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield form(FILE)[:80]
        for self.taken in range(1, 101):
            yield bytes(1_000_000)


@pytest.mark.parametrize("length", [None, "1000", "999999999"])
async def test_a_hundred_megabytes_are_not_taken(
    client: httpx.AsyncClient,
    shop: Shop,
    database: Database,
    staff: dict[str, str],
    tee: Product,
    files: Callable[[], list[str]],
    length: str | None,
) -> None:
    body, before = Endless(), await rows(database)
    headers = staff | MULTIPART | ({"Content-Length": length} if length else {})

    response = await client.post(f"{API}/products/{tee.id}/media", content=body, headers=headers)

    assert problem_of(response)["code"] == "content_too_large"
    assert body.taken <= shop.settings.max_upload_bytes // 1_000_000 + 1
    assert await rows(database) == before
    assert files() == []


async def test_other_bodies_do_not_profit_from_the_limit_of_pictures(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product
) -> None:
    two_megabytes = b" " * 2_000_000

    for method, path in (
        ("POST", f"products/{tee.id}/variants"),
        ("PATCH", f"products/{tee.id}/media/{tee.id}"),
        ("POST", "products/x/media/x"),
        ("POST", "cart/lines"),
    ):
        response = await client.request(method, f"{API}/{path}", content=two_megabytes, headers=staff)
        assert problem_of(response)["code"] == "content_too_large", path


async def test_a_picture_may_be_larger_than_other_bodies(
    client: httpx.AsyncClient, shop: Shop, staff: dict[str, str], tee: Product
) -> None:
    large = saved(Image.effect_noise((1500, 1500), 90))
    assert shop.settings.max_body_bytes < len(large) < shop.settings.max_upload_bytes

    assert (await upload(client, tee.id, large, staff)).status_code == 201
