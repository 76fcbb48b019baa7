"""All connections of the pools are in use, the disk of the pictures is full, customers hang up."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from secrets import token_bytes

import asyncpg
import httpx
from PIL import Image

from app.dev.surroundings import DATABASE
from scripts.chaos.customers import API
from scripts.chaos.faults import EVERYBODY, Fault, NotKept
from scripts.chaos.surroundings import ChaosShop

HELD = 3.0  # seconds, longer than anybody waits for a lock
EDGE = 100  # pixels
UPLOADS = 5
BLOCK = 4096
PASSWORD = "emporium-demo"  # noqa: S105 - public on purpose


@contextmanager
def _pool_exhausted(shop: ChaosShop, _round: int) -> Iterator[None]:
    """Somebody holds what all need, so that whoever has a connection keeps it."""
    asyncio.run(_hold_stock(shop.database.running.url(DATABASE, driver="postgresql")))
    yield


async def _hold_stock(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE stock_levels IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(HELD)
    finally:
        await connection.close()


@contextmanager
def _disk_full(shop: ChaosShop, number: int) -> Iterator[None]:
    """Pictures cannot be stored, which is said clearly and leaves nothing behind; all else goes on."""
    with _catalog_staff(shop, number) as staff:
        product = staff.get("/products", params={"limit": 1}).raise_for_status().json()["data"][0]["id"]
        before = _objects(shop.media)
        with _filled(shop.media / "filler"):
            for _ in range(UPLOADS):
                refused = _upload(staff, product)
                if refused.status_code != httpx.codes.SERVICE_UNAVAILABLE or "retry-after" not in refused.headers:
                    raise NotKept(f"an upload to a full disk got {refused.status_code}")
            yield
        if left := _objects(shop.media) - before:
            raise NotKept(f"refused uploads left {len(left)} files behind")
        stored = _upload(staff, product)
        if stored.status_code != httpx.codes.CREATED:
            raise NotKept(f"with room again, an upload got {stored.status_code}")
        staff.delete(f"/products/{product}/media/{stored.json()['id']}").raise_for_status()


@contextmanager
def _catalog_staff(shop: ChaosShop, number: int) -> Iterator[httpx.Client]:
    """Somebody who may upload pictures, each round from another network: sign-ins are limited."""
    network = {"X-Forwarded-For": f"172.16.{number // 250}.{number % 250}"}
    with httpx.Client(base_url=shop.apis[number % 2].url + API, headers=network, timeout=30, trust_env=False) as client:
        account = {"username": "catalog@example.com", "password": PASSWORD}
        tokens = client.post("/auth/token", data=account).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield client


def _upload(staff: httpx.Client, product: str) -> httpx.Response:
    """A picture that nobody has uploaded before, too small for smaller ones to be made of it."""
    picture = BytesIO()
    Image.frombytes("RGB", (EDGE, EDGE), token_bytes(EDGE * EDGE * 3)).save(picture, "PNG")
    return staff.post(
        f"/products/{product}/media", files={"file": ("noise.png", picture.getvalue())}, data={"alt": "?"}
    )


@contextmanager
def _filled(filler: Path) -> Iterator[None]:
    """Until the block ends there is no room beside this file."""
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(BLOCK))
        yield
    finally:
        filler.unlink()


def _objects(media: Path) -> set[Path]:
    return {path for path in media.rglob("*") if path.is_file()}


@contextmanager
def _nothing(_shop: ChaosShop, _round: int) -> Iterator[None]:
    yield


FAULTS = (
    Fault("pool", "All connections of the pools are held", _pool_exhausted, lasts=0.0, may_say_503=EVERYBODY),
    Fault("disk-full", "The disk of the pictures is full", _disk_full, lasts=0.1, needs_small_media=True),
    Fault("hang-up", "Customers hang up on every write", _nothing, lasts=0.5, impatient=True),
)
