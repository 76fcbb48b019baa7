"""What becomes of a picture's pixels, and what a file may cost that wants to cost a lot."""

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageCms

from app.errors import ImageTooLarge, ShopError
from app.services.image_files import Format, read_file
from app.services.images import MAX_PIXELS, MAX_SIDE, WIDTHS, master_of, rendition
from tests.support.pictures import chunk, moving, opened, picture, png, saved, with_chunks

RED, BLUE = (255, 0, 0), (0, 0, 255)
MOST_MEMORY = 40 * 2**20  # bytes that a file of a few megabytes may take
MOST_TIME = 3  # seconds of a processor


def close(colour: object, other: tuple[int, ...], tolerance: int = 12) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(mine - theirs) <= tolerance for mine, theirs in zip(colour, other, strict=True))


@pytest.mark.parametrize("format_", list(Format))
def test_a_file_says_its_size_without_being_decoded(format_: Format) -> None:
    for size in ((1, 1), (60, 40), (300, 7)):
        for lossless in (False, True):
            file = read_file(picture(format_, size, lossless=lossless))  # an option of WebP alone
            assert (file.format, file.width, file.height, file.animated) == (format_, *size, False)


@pytest.mark.parametrize("format_", [Format.PNG, Format.WEBP])
def test_a_file_says_that_it_moves(format_: Format) -> None:
    assert read_file(moving(format_)).animated


def test_texts_and_repeated_parts_of_a_png_do_not_reach_the_decoder() -> None:
    plain = picture("PNG")
    crowded = with_chunks(plain, chunk(b"tEXt", b"a\0b"), chunk(b"zTXt", b"a\0\0x"), chunk(b"iTXt", b"a"))

    assert read_file(crowded).content == plain


# What each orientation shows in its corners, left to right and top to bottom: EXIF 2.32, tag 0x0112.
CORNERS = {1: "abcd", 2: "badc", 3: "dcba", 4: "cdab", 5: "acbd", 6: "cadb", 7: "dbca", 8: "bdac"}
COLOURS = {"a": (255, 0, 0), "b": (0, 255, 0), "c": (0, 0, 255), "d": (255, 255, 255)}


@pytest.mark.parametrize("format_", list(Format))
@pytest.mark.parametrize("orientation", CORNERS)
def test_every_orientation_is_brought_upright(format_: Format, orientation: int) -> None:
    image = Image.new("RGB", (80, 40))
    for corner, place in zip("abcd", ((0, 0), (40, 0), (0, 20), (40, 20)), strict=True):
        image.paste(COLOURS[corner], (*place, place[0] + 40, place[1] + 20))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    upright = opened(master_of(saved(image, format_, exif=exif)).data)

    assert upright.size == ((80, 40) if orientation < 5 else (40, 80))
    right, bottom = upright.width - 10, upright.height - 5
    shown = [upright.getpixel(place) for place in ((10, 5), (right, 5), (10, bottom), (right, bottom))]
    for colour, corner in zip(shown, CORNERS[orientation], strict=True):
        assert close(colour, COLOURS[corner], 60), (shown, CORNERS[orientation])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    assert opened(master_of(picture("JPEG", exif=exif)).data).size == (60, 40)


def test_colours_of_another_profile_stay_what_they_look_like() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.createProfile("sRGB")
    in_lab = ImageCms.profileToProfile(opened(picture()), srgb, lab, outputMode="LAB")
    assert in_lab is not None
    red_in_lab = in_lab.getpixel((5, 5))
    assert not close(red_in_lab, RED, 60)

    picture_in_srgb = opened(master_of(picture("PNG", icc_profile=ImageCms.ImageCmsProfile(srgb).tobytes())).data)
    assert close(picture_in_srgb.getpixel((5, 20)), RED)


@pytest.mark.parametrize("profile", [b"", b"nonsense", bytes(128), b"\xff" * 5000])
def test_a_profile_that_is_none_changes_nothing(profile: bytes) -> None:
    stored = opened(master_of(picture("JPEG", icc_profile=profile)).data)

    assert close(stored.getpixel((5, 20)), RED)
    assert close(stored.getpixel((55, 20)), BLUE)


def test_sixteen_bits_become_eight() -> None:
    image = Image.new("I;16", (60, 40), 0x8080)

    assert close(opened(master_of(saved(image)).data).getpixel((30, 20)), (0x80, 0x80, 0x80))


def test_a_palette_may_be_transparent() -> None:
    image = opened(picture()).quantize(2)

    stored = opened(master_of(saved(image, transparency=image.getpixel((0, 0)))).data)

    assert [stored.getpixel(place)[3] for place in ((5, 20), (55, 20))] == [0, 255]  # type: ignore[index]  # RGBA


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((MAX_SIDE, 10), (MAX_SIDE, 10)),
        ((5000, 10), (MAX_SIDE, 5)),
        ((9000, 1), (MAX_SIDE, 1)),
        ((1, 9000), (1, MAX_SIDE)),
    ],
)
def test_no_side_is_longer_than_it_may_be(size: tuple[int, int], kept: tuple[int, int]) -> None:
    master = master_of(picture("PNG", size))

    assert (master.width, master.height) == opened(master.data).size == kept


def test_as_many_pixels_as_allowed_and_one_more() -> None:
    side = int(MAX_PIXELS**0.5)
    assert side * side == MAX_PIXELS

    assert master_of(picture("PNG", (side, side))).width == MAX_SIDE
    with pytest.raises(ImageTooLarge) as refusal:
        master_of(picture("PNG", (side + 1, side)))
    assert refusal.value.extra == {"width": side + 1, "height": side, "max_pixels": MAX_PIXELS}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_rendition_is_the_same_picture(width: int) -> None:
    master = master_of(picture("PNG", (1500, 1000)))

    smaller = rendition(master.data, width)

    assert (smaller.width, smaller.height) == opened(smaller.data).size == (width, round(width / 1.5))
    assert close(opened(smaller.data).getpixel((5, 5)), RED)
    assert close(opened(smaller.data).getpixel((width - 5, 5)), BLUE)
    assert rendition(master.data, width) == smaller


def test_the_same_file_gives_the_same_bytes() -> None:
    assert master_of(picture("JPEG")) == master_of(picture("JPEG"))


# Bombs, in a process whose greatest memory is measured

BOMBS = {
    "PNG of 30,000 x 30,000": png(30_000, 30_000, chunk(b"IDAT", zlib.compress(bytes(900_000)))),
    "PNG of endless pixels": png(100, 100, *[chunk(b"IDAT", zlib.compress(bytes(50_000_000), 9))] * 20),
    "PNG of texts": with_chunks(picture(), *[chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000), 9))] * 400),
    "PNG of profiles": with_chunks(picture(), *[chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1_000_000), 9))] * 3000),
    "PNG of many frames": moving("PNG", 300),
    "WebP of many frames": moving("WEBP", 300),
    "JPEG of endless comments": b"\xff\xd8" + b"\xff\xfe\x00\x02" * 2_000_000 + picture("JPEG")[2:],
    "JPEG of endless padding": b"\xff\xd8" + b"\xff" * 9_000_000,
}
MEASURE = """
import json, resource, sys, time
from pathlib import Path
from app.errors import ShopError
from app.services.images import master_of
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
taken = {}
for path in [Path("plain.jpeg"), Path("plain.png"), Path("plain.webp"), *sorted(Path().glob("bomb *"))]:
    data = path.read_bytes()
    before, started = peak(), time.process_time()
    try:
        master_of(data)
    except ShopError:
        pass
    if path.name.startswith("bomb"):
        taken[path.name] = (peak() - before, time.process_time() - started)
print(json.dumps(taken))
"""


def test_a_bomb_takes_neither_memory_nor_time(tmp_path: Path) -> None:
    for format_ in Format:
        (tmp_path / f"plain.{format_.lower()}").write_bytes(picture(format_))
    for name, bomb in BOMBS.items():
        (tmp_path / f"bomb {name}").write_bytes(bomb)

    measured = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", MEASURE],
        capture_output=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )

    taken = json.loads(measured.stdout)
    assert len(taken) == len(BOMBS)
    assert {name: cost for name, cost in taken.items() if cost[0] > MOST_MEMORY or cost[1] > MOST_TIME} == {}


def test_whatever_is_wrong_with_a_file_is_a_refusal() -> None:
    """Every byte in turn is turned over, and the file is cut at every place."""
    for format_ in Format:
        whole = picture(format_, (8, 6))
        damaged = [whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] for place in range(len(whole))]
        for file in damaged + [whole[:place] for place in range(len(whole))]:
            try:
                master_of(file)
            except ShopError:
                continue
