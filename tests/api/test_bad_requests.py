"""Heads that no request should have: paths, methods, hosts, headers and parameters that make no sense."""

import base64
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from starlette.routing import compile_path

from app.database import Database
from app.models.users import Role
from app.shop import Shop
from tests.support.catalogue import add_product
from tests.support.operations import NOWHERE, Operation, operations
from tests.support.problems import problem_of
from tests.support.rows import rows
from tests.support.shopping import API, signed_in

OPERATIONS = operations()
# An upload's form is looked at before its product: tests/api/test_media_*.py
BELOW_AN_ID = [operation for operation in OPERATIONS if "{" in operation.path and operation.id != "media_add"]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "NONSENSE"]
LISTS = [
    f"{API}/{path}" for path in ("products", "orders", "inventory", "inventory/movements", "inventory/reservations")
]


def asking_for(header: str) -> list[Operation]:
    """The operations that cannot do without this header."""
    return [
        operation
        for operation in OPERATIONS
        if any(each["name"] == header and each["required"] for each in operation.described.get("parameters", ()))
    ]


@pytest.fixture
async def admin(client: httpx.AsyncClient, shop: Shop) -> httpx.AsyncClient:
    client.headers.update(await signed_in(shop, Role.ADMIN))
    return client


async def send(
    client: httpx.AsyncClient, operation: Operation, url: str = "", **headers: str | bytes
) -> httpx.Response:
    """A request that is well but for its URL or for these headers; an empty one is left out."""
    given: dict[str, str | bytes] = {"Idempotency-Key": str(uuid4()), "If-Match": '"v1"'}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    raw = {name.encode(): value.encode() if isinstance(value, str) else value for name, value in given.items() if value}
    body = operation.example if operation.writes else None
    return await client.request(operation.method, url or operation.url(), json=body, headers=raw)


# Paths


async def test_ids_of_nothing(admin: httpx.AsyncClient, database: Database) -> None:
    before = await rows(database)

    codes = {operation.id: problem_of(await send(admin, operation))["code"] for operation in BELOW_AN_ID}

    assert codes == {operation.id: "not_found" for operation in BELOW_AN_ID}
    assert await rows(database) == before


@pytest.mark.parametrize(
    "identifier",
    [
        "1",
        "-",
        "a b",
        "'; DROP TABLE orders --",
        "\x00",
        "\N{SNOWMAN}",
        "%ff",
        "x" * 5000,
        f"{{{NOWHERE}}}",
        "null",
        "*",
    ],
    ids=ascii,
)
async def test_ids_that_are_none(admin: httpx.AsyncClient, database: Database, identifier: str) -> None:
    before = await rows(database)
    step = identifier if identifier == "%ff" else quote(identifier, safe="")

    for operation in BELOW_AN_ID:
        code = problem_of(await send(admin, operation, operation.url(step)))["code"]
        assert code in {"not_found", "validation_failed"}, operation.id

    assert await rows(database) == before


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/nothing",
            "/api",
            "/api/v1",
            "/api/v2/products",
            "/api/v1/products/",
            "/api/v1//products",
            "/API/v1/products",
        ),
        *("/api/v1/products/a/b", "/docs/", "/health", "/static", "/static/nothing", "/static/%00", "/metrics/"),
        *(
            f"/static/{'x' * 5000}",
            f"/{'x' * 5000}",
            "/%ff",
            "/%00",
            "/..%2f..%2fetc/passwd",
            "/static/..%2f..%2fmain.py",
        ),
    ],
)
async def test_paths_that_lead_nowhere(client: httpx.AsyncClient, path: str) -> None:
    assert problem_of(await client.get(path))["code"] == "not_found"


async def test_a_wrong_method_is_told_the_right_ones(admin: httpx.AsyncClient, database: Database) -> None:
    before = await rows(database)

    for url in {operation.url("nothing") for operation in OPERATIONS}:
        of_just_this_path = {each.method for each in OPERATIONS if each.path == url}
        known = of_just_this_path or {each.method for each in OPERATIONS if compile_path(each.path)[0].match(url)}
        known |= {"HEAD"} if "GET" in known else set()
        for method in set(METHODS) - known:
            response = await admin.request(method, url)
            assert (response.status_code, method, url) == (405, method, url)
            assert set(response.headers["Allow"].split(", ")) == known
            if method != "HEAD":
                assert problem_of(response)["allowed"] == sorted(known)

    assert await rows(database) == before


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/redoc", "/verify-email", "/favicon.ico", "/openapi.json", "/metrics", "/static/pages/base.css"],
)
async def test_pages_are_told_apart_from_what_may_be_done_with_them(client: httpx.AsyncClient, path: str) -> None:
    refused = await client.request("DELETE", path)

    assert problem_of(refused)["code"] == "method_not_allowed"
    for method in refused.headers["Allow"].split(", "):
        assert (await client.request(method, path)).status_code != 405
    assert "GET" in refused.headers["Allow"]


# Hosts


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "localhost:port", "", "a b", "localhost\x00", "[::1", "user@localhost"],
)
async def test_a_host_that_is_not_ours(client: httpx.AsyncClient, host: str) -> None:
    for path in ("/", "/health/live", f"{API}/products", "/nothing"):
        assert problem_of(await client.get(path, headers={"Host": host}))["code"] == "untrusted_host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000"])
async def test_a_host_that_is_ours(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/health/live", headers={"Host": host})).status_code == 200


# Headers


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "a\tb", b"\xff", "\N{SNOWMAN}"], ids=ascii)
async def test_keys_that_are_none(admin: httpx.AsyncClient, database: Database, key: str | bytes) -> None:
    before, keyed = await rows(database), asking_for("Idempotency-Key")

    codes = {operation.id: problem_of(await send(admin, operation, Idempotency_Key=key))["code"] for operation in keyed}

    assert codes == {operation.id: "idempotency_key_required" for operation in keyed}
    assert await rows(database) == before


@pytest.mark.parametrize(
    "tag", ["v1", '"v1" "v2"', '*, "v1"', "**", '"v1', b"\xff", '"', f'{"," * 4000}"', f"{' ' * 4000}x"], ids=range(9)
)
async def test_versions_that_are_none(admin: httpx.AsyncClient, database: Database, tag: str | bytes) -> None:
    before, versioned = await rows(database), asking_for("If-Match")

    codes = {operation.id: problem_of(await send(admin, operation, If_Match=tag))["code"] for operation in versioned}

    assert codes == {operation.id: "invalid_if_match" for operation in versioned}
    assert await rows(database) == before


async def test_a_version_left_out(admin: httpx.AsyncClient) -> None:
    for operation in asking_for("If-Match"):
        assert problem_of(await send(admin, operation, If_Match=""))["code"] == "precondition_required"


def token_of(header: bytes) -> str:
    return f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.e30.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "credentials",
    [
        *(
            "Bearer",
            "Bearer x",
            "Bearer ..",
            "Bearer null",
            "bearer a.b.c.d.e",
            f"Bearer {'x' * 30_000}",
            b"Bearer \xff\xfe",
        ),
        *(
            f"Bearer {token_of(header)}"
            for header in (b"[" * 1500, b'{"alg":"none","typ":"at+jwt"}', b'{"alg":[]}', b"\xff", b"1")
        ),
    ],
    ids=range(12),
)
async def test_credentials_that_are_none(
    client: httpx.AsyncClient, database: Database, credentials: str | bytes
) -> None:
    before = await rows(database)

    for operation in OPERATIONS:
        if "security" in operation.described:
            response = await send(client, operation, Authorization=credentials)
            assert problem_of(response)["code"] == "invalid_token", operation.id
            assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"', operation.id

    assert await rows(database) == before


@pytest.mark.parametrize("token", ["", " ", "x" * 30_000, b"\xff\xfe", "\N{SNOWMAN}", "'"], ids=ascii)
async def test_guests_with_a_token_of_nothing(
    client: httpx.AsyncClient, database: Database, token: str | bytes
) -> None:
    before = await rows(database)

    for operation in OPERATIONS:
        if operation.id != "cart_open" and {"Guest cart": []} in operation.described.get("security", ()):
            code = problem_of(await send(client, operation, X_Cart_Token=token, X_Order_Token=token))["code"]
            assert code in {"not_found", "unauthorized", "cart_empty"}, operation.id

    assert await rows(database) == before


# Parameters


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1e9", "1000000000", "1" * 5000, "ten", "", "1.5", "NaN", "%00"])
async def test_limits_that_are_none(admin: httpx.AsyncClient, limit: str) -> None:
    for path in LISTS:
        problem = problem_of(await admin.get(f"{path}?limit={limit}"))
        assert [error["pointer"] for error in problem["errors"]] == ["limit"]


@pytest.mark.parametrize("cursor", ["x", "%00", "%ff", "%F0%9F%92%A5", "AAAA" * 20, "=" * 20, "-" * 64, "..%2f", ""])
async def test_cursors_that_are_none(admin: httpx.AsyncClient, cursor: str) -> None:
    for path in LISTS:
        assert problem_of(await admin.get(f"{path}?cursor={cursor}"))["code"] == "invalid_cursor"


async def test_a_cursor_of_another_list(admin: httpx.AsyncClient, database: Database) -> None:
    for name in ("Mug", "Cup"):
        await add_product(database, name, 1000)
    cursor = (await admin.get(LISTS[0], params={"limit": 1})).json()["page"]["next_cursor"]

    for query in ("products?q=mug&", "products?sort=price&", "orders?"):
        assert problem_of(await admin.get(f"{API}/{query}cursor={cursor}"))["code"] == "invalid_cursor"


@pytest.mark.parametrize("name", ["offset", "%00", "%ff", "limit[]", "Limit", "x" * 5000, "%F0%9F%92%A5"])
async def test_unknown_parameters_are_told_the_known_ones(admin: httpx.AsyncClient, name: str) -> None:
    for operation in OPERATIONS:
        if operation.method == "GET" and operation.path in LISTS:
            (error,) = problem_of(await admin.get(f"{operation.path}?{name}=1"))["errors"]
            assert error["code"] == "unknown_parameter"
            assert error["message"].endswith(", ".join(each["name"] for each in operation.described["parameters"]))


@pytest.mark.parametrize(
    "query",
    [
        *("sort=cheapest", "sort=", "in_stock=maybe", "category=%00", "category=a%20b", "q=%00", f"q={'x' * 201}"),
        *("price[gte]=-1", "price[gte]=1e3", "price[lte]=NaN", f"price[lte]={10**30}", "include_total=si"),
    ],
)
async def test_filters_that_are_none(client: httpx.AsyncClient, query: str) -> None:
    problem = problem_of(await client.get(f"{LISTS[0]}?{query}"))

    assert [error["pointer"] for error in problem["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize("q", ["%ff", "'", '"', '"a', "a & | ! :*", "-", "()", "\\", "%25", "or or", "🫖", "<->"])
async def test_whatever_is_searched_for_is_just_text(client: httpx.AsyncClient, q: str) -> None:
    response = await client.get(f"{LISTS[0]}?q={q if q == '%ff' else quote(q)}")

    assert (response.status_code, response.json()["data"]) == (200, [])
