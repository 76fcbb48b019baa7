"""Pictures to upload, as cameras and designers would make them."""

import struct
import zlib
from io import BytesIO
from typing import Any

import httpx
from PIL import Image

from tests.support.catalogue import API


def picture(format_: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    """The file of a picture: red on the left, blue on the right."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return saved(image.convert(mode), format_, **options)


def saved(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


async def upload(
    client: httpx.AsyncClient, product_id: object, data: bytes, headers: dict[str, str], alt: str = "A tee"
) -> httpx.Response:
    files = {"file": ("picture", data, "application/octet-stream")}
    return await client.post(f"{API}/products/{product_id}/media", files=files, data={"alt": alt}, headers=headers)


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *parts: bytes) -> bytes:
    """A PNG of these chunks, whatever they are, between its header and its end."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(parts) + chunk(b"IEND", b"")


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """The PNG with these chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def moving(format_: str, frames: int = 3) -> bytes:
    images = [Image.new("RGB", (20, 20), (shade * 7 % 256, 0, 0)) for shade in range(frames)]
    return saved(images[0], format_, save_all=True, append_images=images[1:], duration=40)
