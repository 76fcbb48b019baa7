"""Uploads to a real process that keeps its pictures in S3: what arrives, what is refused, and what that costs."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import psutil
import pytest

from app.dev.embedded.processes import free_port
from app.models.media import UnusedMedia
from app.models.products import Product
from app.models.users import Role
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.accounts import change
from tests.support.catalogue import API, OPENING, add_product
from tests.support.pictures import opened, picture, upload
from tests.support.processes import running
from tests.support.s3 import BUCKET, RunningS3, running_s3
from tests.support.sandbox import wait_until_up
from tests.support.shopping import signed_in

MOST_MEMORY = 64 * 2**20  # bytes; four uploads at once are read up to their limit of 10 MB
MEGABYTES = 100


@dataclass(frozen=True)
class Api:
    port: int
    process: psutil.Process
    temporary: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def s3(home: Path) -> Iterator[RunningS3]:
    with running_s3(home / "s3") as server:
        yield server


@pytest.fixture(scope="module")
def in_s3(settings: Settings) -> Settings:
    return settings.model_copy(update={"media_store": f"s3://{BUCKET}/shop"})


@pytest.fixture(scope="module")
def api(in_s3: Settings, s3: RunningS3, home: Path) -> Iterator[Api]:
    port, temporary = free_port(), home / "temporary"
    temporary.mkdir()
    variables = {**s3.environment, "SHOP_PORT": str(port), "TMPDIR": str(temporary)}
    with running(("app.cli", "serve"), in_s3, home, **variables) as program:
        wait_until_up(f"http://127.0.0.1:{port}/health/ready", program.process)
        yield Api(port, psutil.Process(program.process.pid), temporary)


@pytest.fixture
async def staff(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.CATALOG)


@pytest.fixture
async def tee(shop: Shop) -> Product:
    return await add_product(shop.database, "Tee", 1999)


def objects(s3: RunningS3) -> list[str]:
    root = s3.buckets / BUCKET / "shop"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_a_picture_lives_and_dies_in_s3(
    api: Api, s3: RunningS3, in_s3: Settings, staff: dict[str, str], tee: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with httpx.AsyncClient(base_url=api.url) as client:
        created = (await upload(client, tee.id, picture(size=(700, 350)), staff)).json()
        served = await client.get(urlsplit(created["url"]).path)

    assert opened(served.content).size == (700, 350)
    assert served.headers["Content-Type"] == "image/webp"
    assert [created["url"].endswith(f"/media/{key}") for key in objects(s3)] == [True]

    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    async with open_shop(in_s3) as worker:
        await worker.media.make_renditions(UUID(created["id"]))
        assert len(objects(s3)) == 3
        await worker.media.remove(tee.id, UUID(created["id"]), None)
        await change(worker.database, UnusedMedia, since=OPENING)
        while await worker.media.purge_unused():
            pass
    assert objects(s3) == []


async def send_too_much(api: Api, product: Product, headers: dict[str, str], length: str) -> tuple[int, str, int]:
    """The status, the problem's code, and how many megabytes were taken until the answer came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    head = {"Host": "localhost", "Content-Type": "multipart/form-data; boundary=b", **headers}
    size = {"Content-Length": length} if length else {"Transfer-Encoding": "chunked"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in (head | size).items())
    writer.write(f"POST {API}/products/{product.id}/media HTTP/1.1\r\n{lines}\r\n".encode())
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    answer = asyncio.create_task(reader.readuntil(b"}"))
    sent = 0
    try:
        for number in range(MEGABYTES):
            piece = start + bytes(1_000_000) if number == 0 else bytes(1_000_000)
            writer.write(piece if length else b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            sent = number + 1
            if answer.done():
                break
    except ConnectionError:
        pass  # it has heard enough
    said = (await asyncio.wait_for(answer, 10)).decode()
    writer.close()
    return int(said.split()[1]), json.loads(said[said.index("{") :])["code"], sent


@pytest.mark.parametrize("length", ["", "100000000"], ids=["in pieces", "announced"])
async def test_a_hundred_megabytes_cost_little(
    api: Api, s3: RunningS3, staff: dict[str, str], tee: Product, length: str
) -> None:
    await send_too_much(api, tee, staff, length)
    before, kept = api.process.memory_info().rss, objects(s3)

    for _ in range(3):
        answers = await asyncio.gather(*(send_too_much(api, tee, staff, length) for _ in range(4)))
        for status, code, taken in answers:
            assert (status, code) == (413, "content_too_large")
            assert taken < MEGABYTES / 2

    assert api.process.memory_info().rss - before < MOST_MEMORY
    assert list(api.temporary.iterdir()) == []
    assert objects(s3) == kept
