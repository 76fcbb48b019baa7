"""The demo shop's pictures, on their way into the media store."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from app.dev.seed.drawing import SIDE, draw
from app.gateways.media_store import MediaStore
from app.services.images import WIDTHS, Picture
from app.services.media import key_of, rendition_key

WIDTH = SIDE // 2
RENDITIONS = tuple(width for width in WIDTHS if width < WIDTH)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn; editions of a product share its pictures. `view` is 0, or 1 for a closer one."""

    motif: str
    product: str
    view: int


Hung = dict[str, Any]
"""What a row of `product_media` says of an object: its key, its size and its renditions."""


async def hang(store: MediaStore, scenes: Iterable[Scene]) -> dict[Scene, Hung]:
    """Draw the scenes, in threads, and store them with their renditions."""
    wanted = list(dict.fromkeys(scenes))
    return dict(zip(wanted, await asyncio.gather(*(_hang(store, scene) for scene in wanted)), strict=True))


async def _hang(store: MediaStore, scene: Scene) -> Hung:
    picture, *smaller = await asyncio.to_thread(_files, scene)
    key = key_of(picture)
    await store.put(key, picture.data)
    renditions = []
    for each in smaller:
        await store.put(rendition_key(key, each.width), each.data)
        renditions.append({"key": rendition_key(key, each.width), "width": each.width, "height": each.height})
    return {"key": key, "width": picture.width, "height": picture.height, "renditions": renditions}


def _files(scene: Scene) -> list[Picture]:
    """The picture, then its renditions."""
    image = draw(scene.motif, scene.product, scene.view)
    return [_file(image.reduce(image.width // width)) for width in (WIDTH, *RENDITIONS)]


def _file(image: Image.Image) -> Picture:
    file = BytesIO()
    image.save(file, "WEBP", quality=82, method=0)  # the quickest
    return Picture(file.getvalue(), image.width, image.height)
