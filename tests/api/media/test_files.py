"""The files of pictures, as browsers and CDNs ask for them."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.models.products import Product
from tests.support.pictures import picture, upload
from tests.support.problems import problem_of


@pytest.fixture
async def path(client: httpx.AsyncClient, staff: dict[str, str], tee: Product) -> str:
    """Where a picture is."""
    url: str = (await upload(client, tee.id, picture(), staff)).json()["url"]
    return urlsplit(url).path


async def test_a_picture_may_be_kept_for_ever_and_do_nothing(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.status_code == 200
    headers = response.headers
    assert headers["Content-Type"] == "image/webp"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Content-Disposition"] == "inline"
    assert int(headers["Content-Length"]) == len(response.content)


async def test_a_picture_that_is_known_is_not_sent_again(client: httpx.AsyncClient, path: str) -> None:
    etag = (await client.get(path)).headers["ETag"]

    for known in (etag, f'"other", W/{etag}', "*"):
        response = await client.get(path, headers={"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == etag
        assert "immutable" in response.headers["Cache-Control"]
    assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_a_head_is_that_of_the_picture(client: httpx.AsyncClient, path: str) -> None:
    whole, head = await client.get(path), await client.head(path)

    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
        assert head.headers[name] == whole.headers[name]


async def test_a_part_of_a_picture_is_the_whole(client: httpx.AsyncClient, path: str) -> None:
    whole = await client.get(path)

    for wanted in ("bytes=0-9", "bytes=-1", "bytes=999999999-", "nonsense"):
        response = await client.get(path, headers={"Range": wanted})
        assert (response.status_code, response.content) == (200, whole.content)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_files_are_not_written_here(client: httpx.AsyncClient, path: str, method: str) -> None:
    assert problem_of(await client.request(method, path))["code"] == "method_not_allowed"


async def test_nothing_else_is_reached(client: httpx.AsyncClient, path: str, store: Path) -> None:
    (store.parent / "secret.webp").write_text("secret")
    (store / "secret.webp").write_text("secret")
    folder, digest, name = path.removeprefix("/media/").split("/")

    for hostile in (
        "",
        "/",
        "secret.webp",
        "../secret.webp",
        "%2e%2e/secret.webp",
        "..%2fsecret.webp",
        "%2e%2e%2fsecret.webp",
        "..%5csecret.webp",
        "%252e%252e%252fsecret.webp",
        "..%c0%afsecret.webp",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "file:///etc/passwd",
        folder,
        f"{folder}/{digest}",
        f"{folder}/{digest}/",
        f"{folder}/{digest}/{name}%00",
        f"{folder}/{digest}/{name}%00.png",
        f"{folder}/{digest}/{name}/",
        f"{folder.upper()}x/{digest}/{name}",
        f"{folder}/{digest}/061.webp",
        f"{folder}/{'0' * 38}/60.webp",
        "x" * 5000,
    ):
        request = client.build_request("GET", "/media/x")
        request.url = request.url.copy_with(raw_path=f"/media/{hostile}".encode())
        response = await client.send(request)
        assert response.status_code == 404, hostile
        assert response.json()["code"] == "not_found"
    assert (await client.get(path)).status_code == 200


@pytest.fixture
def no_store(store: Path) -> None:
    store.write_text("a file, where the directory should be")


async def test_a_store_that_does_not_work_is_unavailable(
    client: httpx.AsyncClient, staff: dict[str, str], tee: Product, no_store: None
) -> None:
    for response in (
        await upload(client, tee.id, picture(), staff),
        await client.get(f"/media/00/{'0' * 38}/60.webp"),
    ):
        assert problem_of(response)["code"] == "service_unavailable"
        assert "Retry-After" in response.headers
    assert (await client.get("/api/v1/products/tee")).json()["media"] == []
