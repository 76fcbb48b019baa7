"""The address book: one's own, with one default of each kind, and nothing of it to be read in the database."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.addresses import MOST_ADDRESSES
from tests.support.accounts import code
from tests.support.people import BOOK, PHONE, book, defaults, keep
from tests.support.rows import rows
from tests.support.shopping import ADDRESS
from tests.support.statements import count_statements


async def test_an_address_is_kept_and_shown(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    created = await client.post(BOOK, json=ADDRESS | {"phone": PHONE, "line2": "Hinterhaus"}, headers=ada)

    assert created.status_code == 201
    address = created.json()
    assert created.headers["location"] == f"{BOOK}/{address['id']}"
    assert {name: address[name] for name in (*ADDRESS, "phone", "line2", "region")} == ADDRESS | {
        "phone": PHONE,
        "line2": "Hinterhaus",
        "region": None,
    }
    shown = await client.get(created.headers["location"], headers=ada)
    assert (shown.json(), shown.headers["etag"]) == (address, '"v1"')
    assert await book(client, ada) == [address]


async def test_lines_and_phone_are_ciphertext_in_the_database(
    client: httpx.AsyncClient, ada: dict[str, str], connection: AsyncConnection
) -> None:
    await keep(client, ada, phone=PHONE, line2="Hinterhaus")

    stored = (await connection.execute(text("SELECT to_jsonb(addresses) FROM addresses"))).scalar_one()

    assert all(str(stored[name]).startswith("v1.") for name in ("line1", "line2", "phone"))
    assert (stored["city"], stored["country"]) == ("Berlin", "DE")


async def test_the_first_address_is_the_default_until_another_is(
    client: httpx.AsyncClient, ada: dict[str, str]
) -> None:
    home = await keep(client, ada)
    office = await keep(client, ada, line1="Office 1", is_default_shipping=True)

    addresses = await book(client, ada)

    assert (defaults(addresses, "shipping"), defaults(addresses, "billing")) == ([office["id"]], [home["id"]])
    back = await client.patch(
        f"{BOOK}/{home['id']}", json={"is_default_shipping": True}, headers=ada | {"If-Match": '"v2"'}
    )
    assert (back.status_code, back.headers["etag"]) == (200, '"v3"')
    assert defaults(await book(client, ada), "shipping") == [home["id"]]


async def test_only_what_is_sent_changes(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    before = await keep(client, ada, phone=PHONE, line2="Hinterhaus")

    changed = await client.patch(f"{BOOK}/{before['id']}", json={"city": "Potsdam", "phone": None}, headers=ada)

    assert changed.status_code == 200
    after = changed.json()
    assert (after["city"], after["phone"], after["version"]) == ("Potsdam", None, 2)
    assert after["updated_at"] >= before["updated_at"]
    moved = {"city", "phone", "version", "updated_at"}
    assert {name: after[name] for name in after.keys() - moved} == {
        name: before[name] for name in before.keys() - moved
    }


@pytest.mark.parametrize(
    "changes", [{}, {"line1": None}, {"country": "Germany"}, {"phone": "call me"}, {"user_id": str(uuid4())}, {"id": 1}]
)
async def test_changes_that_make_no_sense_change_nothing(
    client: httpx.AsyncClient, ada: dict[str, str], changes: dict[str, Any]
) -> None:
    address = await keep(client, ada)

    refused = await client.patch(f"{BOOK}/{address['id']}", json=changes, headers=ada)

    assert (refused.status_code, code(refused)) == (422, "validation_failed")
    assert await book(client, ada) == [address]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_whoever_names_a_version_changes_only_that(
    client: httpx.AsyncClient, ada: dict[str, str], method: str
) -> None:
    address = await keep(client, ada)

    body = {"city": "Potsdam"} if method == "PATCH" else None
    refused = await client.request(method, f"{BOOK}/{address['id']}", headers=ada | {"If-Match": '"v7"'}, json=body)

    assert (refused.status_code, code(refused)) == (412, "precondition_failed")
    assert await book(client, ada) == [address]


async def test_a_deleted_address_is_gone(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    home, office = await keep(client, ada), await keep(client, ada)

    deleted = await client.delete(f"{BOOK}/{home['id']}", headers=ada)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.delete(f"{BOOK}/{home['id']}", headers=ada)).status_code == 404
    addresses = await book(client, ada)
    assert [address["id"] for address in addresses] == [office["id"]]
    assert defaults(addresses, "shipping") == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_somebody_elses_address_is_not_there(
    client: httpx.AsyncClient, database: Database, ada: dict[str, str], bob: dict[str, str], method: str
) -> None:
    address = await keep(client, ada)
    await keep(client, bob)
    before = await rows(database)
    body = {"city": "Potsdam"} if method == "PATCH" else None

    theirs = await client.request(method, f"{BOOK}/{address['id']}", headers=bob, json=body)
    nobodys = await client.request(method, f"{BOOK}/{uuid4()}", headers=bob, json=body)
    without = await client.request(method, f"{BOOK}/{address['id']}", json=body)

    assert (theirs.status_code, code(theirs)) == (404, "not_found")
    varying = ("instance", "request_id")
    assert {k: v for k, v in theirs.json().items() if k not in varying} == {
        k: v for k, v in nobodys.json().items() if k not in varying
    }
    assert (without.status_code, code(without)) == (401, "invalid_token")
    assert await book(client, ada) == [address]
    assert await rows(database) == before


async def test_the_book_is_read_page_by_page_and_by_its_owner_only(
    client: httpx.AsyncClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    kept = [(await keep(client, ada, line1=f"Street {number}"))["id"] for number in range(5)]

    first = (await client.get(f"{BOOK}?limit=2&include_total=true", headers=ada)).json()
    cursor = first["page"]["next_cursor"]
    second = (await client.get(f"{BOOK}?limit=2&cursor={cursor}", headers=ada)).json()
    back = (await client.get(f"{BOOK}?limit=2&cursor={second['page']['prev_cursor']}", headers=ada)).json()
    stolen = await client.get(f"{BOOK}?limit=2&cursor={cursor}", headers=bob)

    assert [address["id"] for address in first["data"]] == kept[:2]
    assert (first["page"]["total"], first["page"]["prev_cursor"]) == (5, None)
    assert [address["id"] for address in second["data"]] == kept[2:4]
    assert back["data"] == first["data"]
    assert (stolen.status_code, code(stolen)) == (400, "invalid_cursor")
    assert await book(client, bob) == []


async def test_a_book_is_full_at_some_point(
    client: httpx.AsyncClient, ada: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_ADDRESSES == 50
    monkeypatch.setattr("app.services.addresses.MOST_ADDRESSES", 2)
    kept = [await keep(client, ada), await keep(client, ada)]

    refused = await client.post(BOOK, json=ADDRESS, headers=ada)

    assert (refused.status_code, code(refused), refused.json()["maximum"]) == (409, "too_many_addresses", 2)
    assert await book(client, ada) == kept


async def test_a_long_list_takes_as_many_statements_as_a_short_one(
    client: httpx.AsyncClient, connection: AsyncConnection, ada: dict[str, str]
) -> None:
    counts: list[int] = []
    for more in (1, 20):
        for _ in range(more):
            await keep(client, ada)
        with count_statements(connection) as statements:
            await book(client, ada)
        counts.append(len(statements))

    assert counts[0] == counts[1]
