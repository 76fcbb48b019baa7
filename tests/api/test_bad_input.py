"""Bodies that no operation should take: each gets its problem, and leaves no trace."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.database import Database
from app.error_handlers import MOST_ERRORS
from app.models.users import Role
from app.schemas.base import MOST_MEMBERS
from app.settings import Settings
from app.shop import Shop
from tests.support.operations import Json, Operation, operations
from tests.support.problems import problem_of
from tests.support.rows import rows
from tests.support.shopping import API, add_product, guest_cart, signed_in

# Uploads are forms, with a larger limit of their own: tests/api/test_media_*.py
WRITES = [operation for operation in operations() if operation.writes and operation.id != "media_add"]
TAKING_JSON = [operation for operation in WRITES if operation.example]

DEEP = 100_000
NO_JSON = {
    "half an object": b'{"a": 1',
    "a trailing comma": b'{"a": 1,}',
    "a word": b"nothing",
    "two values": b"{} {}",
    "a control character": b'{"a": "\x00"}',
    "invalid UTF-8": b'{"a": "\xff"}',
    "UTF-16 of half a character": b"\xff\xfe{",
    "deep arrays": b"[" * DEEP,
    "deep arrays, closed": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP,
    "a form": b"a=1&b=2",
}
NO_OBJECT = ["", "[]", "[{}]", '"{}"', "1", "1.5", "true", "null", r'"\ud800"', "NaN", "-Infinity", "1e400", "[[[[]]]]"]
# As they stand in a body: some of them are no JSON, and others have no counterpart in Python's.
MUTANTS = [
    *("null", "true", "-1", "1e3", "1" + "0" * 30, "1" * 5000, "NaN", "1e400"),
    *('""', '"1"', r'"\u0000"', r'"a\ud800"', f'"{"x" * DEEP}"', "[]", r'{"": {}, "\ud800": 1, "\u0000": 1}'),
]
UNKNOWN_FIELDS = ["role", "", "__proto__", "a/b~c", "\x00", "\ud800", "\N{SNOWMAN}", "x" * 10_000]


@pytest.fixture
async def admin(client: httpx.AsyncClient, shop: Shop) -> httpx.AsyncClient:
    """Somebody who may do everything, with every header that is asked for: what is refused is refused for its body."""
    client.headers.update(await signed_in(shop, Role.ADMIN))
    client.headers.update({"If-Match": '"v1"', "Content-Type": "application/json"})
    return client


async def send(
    client: httpx.AsyncClient, operation: Operation, body: bytes | str | AsyncIterator[bytes], **headers: str
) -> httpx.Response:
    headers = {"Idempotency-Key": str(uuid4())} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.request(operation.method, operation.url(), content=body, headers=headers)


async def codes(
    client: httpx.AsyncClient, operations: Iterable[Operation], body: bytes | str | None = None, **headers: str
) -> dict[str, str]:
    """How each operation refuses this body, or its own example."""
    return {
        operation.id: problem_of(
            await send(client, operation, json.dumps(operation.example) if body is None else body, **headers)
        )["code"]
        for operation in operations
    }


def all_say(code: str, operations: Iterable[Operation] = TAKING_JSON) -> dict[str, str]:
    return {operation.id: code for operation in operations}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
async def test_no_json_at_all(admin: httpx.AsyncClient, database: Database, body: bytes) -> None:
    before = await rows(database)

    assert await codes(admin, TAKING_JSON, body) == all_say("malformed_body")
    assert await rows(database) == before


@pytest.mark.parametrize("body", NO_OBJECT)
async def test_json_that_is_no_object(admin: httpx.AsyncClient, database: Database, body: str) -> None:
    before = await rows(database)

    assert await codes(admin, TAKING_JSON, body) == all_say("validation_failed")
    assert await rows(database) == before


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_body_that_does_not_call_itself_json(
    admin: httpx.AsyncClient, database: Database, media_type: str
) -> None:
    before = await rows(database)

    assert await codes(admin, TAKING_JSON, Content_Type=media_type) == all_say("unsupported_media_type")
    assert await rows(database) == before


@pytest.mark.parametrize("operation", TAKING_JSON, ids=lambda operation: operation.id)
async def test_each_field_with_each_wrong_value(
    admin: httpx.AsyncClient, database: Database, operation: Operation
) -> None:
    before, refusals = await rows(database), 0
    for body in mutations(operation.example or {}):
        response = await send(admin, operation, body)
        # Not all mutants are wrong everywhere: "1" makes a good name, and a guess at a password, which is counted.
        if response.is_success or response.json()["code"] in {"wrong_password", "account_locked"}:
            before = await rows(database)
        else:
            problem_of(response)
            refusals += 1
            assert await rows(database) == before, body[:500]
    assert refusals > len(MUTANTS) / 2


def mutations(example: Json) -> Iterator[str]:
    """The example's JSON with each of its fields, at any depth, replaced by each mutant."""
    marker = str(uuid4())
    for marked in marked_copies(example, marker):
        text = json.dumps(marked)
        yield from (text.replace(f'"{marker}"', mutant) for mutant in MUTANTS)


def marked_copies(value: Any, marker: str) -> Iterator[Any]:
    entries: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        for changed in (marker, *(marked_copies(inner, marker) if isinstance(inner, dict | list) else ())):
            copy = value.copy()
            copy[key] = changed
            yield copy


@pytest.mark.parametrize("name", UNKNOWN_FIELDS, ids=ascii)
async def test_unknown_fields(admin: httpx.AsyncClient, database: Database, name: str) -> None:
    before = await rows(database)

    for operation in TAKING_JSON:
        if name in (operation.example or {}):
            continue  # an administrator gives roles
        problem = problem_of(await send(admin, operation, json.dumps({**(operation.example or {}), name: "admin"})))
        (error,) = problem["errors"]
        assert error["code"] == ("string_unicode" if name == "\ud800" else "extra_forbidden"), operation.id

    assert await rows(database) == before


async def test_a_body_of_nothing_but_mistakes_gets_a_short_answer(admin: httpx.AsyncClient) -> None:
    body = json.dumps({f"unknown {number}": number for number in range(MOST_MEMBERS)})

    response = await send(admin, TAKING_JSON[0], body)

    assert len(problem_of(response)["errors"]) == MOST_ERRORS


async def test_a_body_with_more_members_than_anything_has_is_not_looked_into(admin: httpx.AsyncClient) -> None:
    body = json.dumps({f"unknown {number}": number for number in range(MOST_MEMBERS + 1)})

    response = await send(admin, TAKING_JSON[0], body)

    assert [error["code"] for error in problem_of(response)["errors"]] == ["too_many_members"]


async def test_a_body_beyond_the_limit(admin: httpx.AsyncClient, database: Database, settings: Settings) -> None:
    before = await rows(database)

    assert await codes(admin, WRITES, b" " * (settings.max_body_bytes + 1)) == all_say("content_too_large", WRITES)
    assert await rows(database) == before


async def test_a_body_that_grows_beyond_the_limit(
    admin: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    before = await rows(database)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(settings.max_body_bytes // 2**16 + 1):
            yield b" " * 2**16

    for operation in TAKING_JSON:
        assert problem_of(await send(admin, operation, chunks()))["code"] == "content_too_large", operation.id
    assert await rows(database) == before


@pytest.mark.parametrize(
    "quantity", ["0", "-1", "1000000000000", "1e3", "2.5", "true", '"1"', "null", "[]", "NaN", "1e400", "1" * 400]
)
async def test_quantities_that_nobody_can_buy(client: httpx.AsyncClient, database: Database, quantity: str) -> None:
    variant = await add_product(database)
    client.headers.update(await guest_cart(client, (variant, 1)))
    client.headers["Content-Type"] = "application/json"
    cart, before = (await client.get(f"{API}/cart")).json(), await rows(database)

    line = cart["lines"][0]["id"]
    added = await client.post(f"{API}/cart/lines", content=f'{{"variant_id": "{variant.id}", "quantity": {quantity}}}')
    changed = await client.patch(f"{API}/cart/lines/{line}", content=f'{{"quantity": {quantity}}}')

    for refused in (added, changed):
        assert [error["pointer"] for error in problem_of(refused)["errors"]] == ["/quantity"]
    assert (await client.get(f"{API}/cart")).json() == cart
    assert await rows(database) == before


async def test_two_point_nothing_is_two(client: httpx.AsyncClient, database: Database) -> None:
    variant = await add_product(database)
    line = f'{{"variant_id": "{variant.id}", "quantity": 2.0}}'

    added = await client.post(f"{API}/cart/lines", content=line, headers={"Content-Type": "application/json"})

    assert [line["quantity"] for line in added.json()["lines"]] == [2]


async def test_a_refusal_repeats_nothing_of_what_was_sent(client: httpx.AsyncClient) -> None:
    body = {"email": "canary", "password": "canary7", "full_name": ["canary"], "role": "canary"}

    response = await client.post(f"{API}/auth/register", json=body)

    assert {error["pointer"] for error in problem_of(response)["errors"]} == {
        "/email",
        "/password",
        "/full_name",
        "/role",
    }
    assert "canary" not in response.text
