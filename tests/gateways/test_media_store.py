"""The media store, on disk and on an S3 server: the same promises."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.gateways.media_store import MediaStore, MediaStoreUnavailable
from tests.support.s3 import BUCKET, RunningS3, running_s3

FOLDER = "ab/cdef"
KEY = f"{FOLDER}/60.webp"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningS3]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def in_s3(s3: RunningS3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store."""
    if request.param == "s3":
        request.getfixturevalue("in_s3")
        return f"s3://{BUCKET}/{tmp_path.name}"
    return str(tmp_path / "media")


@pytest.fixture
def store(place: str) -> MediaStore:
    return MediaStore(place)


def everything_in(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*")}


async def content(store: MediaStore, key: str) -> bytes | None:
    found = await store.get(key)
    return None if found is None else await found.read()


async def test_what_is_put_is_there(store: MediaStore) -> None:
    data = bytes(range(256)) * 2000

    await store.put(KEY, data)

    found = await store.get(KEY)
    assert found is not None
    assert found.size == len(data)
    assert b"".join([chunk async for chunk in found.chunks]) == data


async def test_another_process_finds_it(store: MediaStore, place: str) -> None:
    await store.put(KEY, b"data")

    assert await content(MediaStore(place), KEY) == b"data"


async def test_what_is_not_there_is_none(store: MediaStore) -> None:
    await store.put(KEY, b"data")

    for key in (f"{FOLDER}/61.webp", FOLDER, "ab", "other/60.webp"):
        assert await store.get(key) is None


async def test_the_same_may_be_put_and_deleted_by_many_at_once(store: MediaStore) -> None:
    data = b"data" * 50_000

    await asyncio.gather(*(store.put(KEY, data) for _ in range(8)))
    assert await content(store, KEY) == data

    await asyncio.gather(*(store.delete(FOLDER) for _ in range(8)), *(store.put("ab/new/1.webp", data) for _ in "ab"))
    assert [await content(store, key) for key in (KEY, "ab/new/1.webp")] == [None, data]


async def test_a_folder_is_deleted_and_its_neighbours_are_not(store: MediaStore) -> None:
    for key in (KEY, f"{FOLDER}/320.webp", f"{FOLDER}0/60.webp", "ab/other/60.webp"):
        await store.put(key, b"data")

    await store.delete(FOLDER)
    await store.delete("of/nothing")

    assert await content(store, KEY) is await content(store, f"{FOLDER}/320.webp") is None
    assert await content(store, f"{FOLDER}0/60.webp") == await content(store, "ab/other/60.webp") == b"data"
    await store.put(KEY, b"again")
    assert await content(store, KEY) == b"again"


async def test_the_event_loop_goes_on_meanwhile(store: MediaStore) -> None:
    pauses, working = [], True

    async def watch() -> None:
        while working:
            before = time.perf_counter()
            await asyncio.sleep(0)
            pauses.append(time.perf_counter() - before)

    watching, data = asyncio.create_task(watch()), bytes(2_000_000)
    started = time.perf_counter()
    for number in range(10):
        await store.put(f"{FOLDER}/{number}.webp", data)
        assert await content(store, f"{FOLDER}/{number}.webp") == data
    took, working = time.perf_counter() - started, False
    await watching

    assert max(pauses) < took / 4


@pytest.mark.parametrize("hostile", ["../x.webp", "a/../../x.webp", "a\0b.webp"])
async def test_a_key_does_not_lead_out_of_the_store(store: MediaStore, tmp_path: Path, hostile: str) -> None:
    (tmp_path / "x.webp").write_bytes(b"secret")

    with pytest.raises((ValueError, MediaStoreUnavailable)):
        await store.get(hostile)
    with pytest.raises((ValueError, MediaStoreUnavailable)):
        await store.put(hostile, b"data")
    assert (tmp_path / "x.webp").read_bytes() == b"secret"


async def test_nothing_but_objects_lies_on_the_disk(tmp_path: Path) -> None:
    store = MediaStore(str(tmp_path / "media"))
    assert everything_in(tmp_path) == set(), "a store that is not used leaves no trace"

    await store.put(KEY, b"data")
    assert everything_in(tmp_path) == {"media", "media/ab", f"media/{FOLDER}", f"media/{KEY}"}

    await store.delete(FOLDER)
    assert everything_in(tmp_path) == {"media"}


async def test_a_directory_that_cannot_be_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file")
    store = MediaStore(str(tmp_path / "media"))

    for attempt in (store.put(KEY, b"data"), store.get(KEY), store.delete(FOLDER)):
        with pytest.raises(MediaStoreUnavailable):
            await attempt


async def test_a_bucket_that_others_serve_from_says_what_it_holds(in_s3: None, s3: RunningS3, tmp_path: Path) -> None:
    store = MediaStore(f"s3://{BUCKET}/{tmp_path.name}")

    await store.put(KEY, b"data")

    assert (s3.buckets / BUCKET / tmp_path.name / KEY).read_bytes() == b"data"
    found = await store._store.get_async(KEY)
    assert found.attributes["Content-Type"] == "image/webp"
    assert found.attributes["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_wrong_credentials_are_unavailable(in_s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    store = MediaStore(f"s3://{BUCKET}/secret")

    for attempt in (store.put(KEY, b"data"), store.get(KEY), store.delete(FOLDER)):
        with pytest.raises(MediaStoreUnavailable):
            await attempt


async def test_a_server_that_is_gone_is_unavailable_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        store = MediaStore(f"s3://{BUCKET}/here")
        await store.put(KEY, b"data")
    started = time.monotonic()

    for attempt in (store.put(KEY, b"data"), store.get(KEY), store.delete(FOLDER)):
        with pytest.raises(MediaStoreUnavailable):
            await attempt
    assert time.monotonic() - started < 30
