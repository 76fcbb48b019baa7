"""Every operation, called by everybody, on what is somebody's: tests/support/permissions.py says what they get."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.shop import Shop
from tests.support.operations import Operation, operations
from tests.support.permissions import CALLERS, LOOK_AFTER_ORDERS, TABLE
from tests.support.rows import rows
from tests.support.world import World, populated

OPERATIONS = operations()
MEANT = {"401": {"invalid_token", "unauthorized"}, "403": {"insufficient_scope"}, "404": {"not_found"}}


@pytest.fixture
async def world(client: httpx.AsyncClient, shop: Shop) -> World:
    return await populated(client, shop)


def test_the_table_has_a_row_for_each_operation_and_a_cell_for_each_caller() -> None:
    assert TABLE.keys() == {operation.id for operation in OPERATIONS}
    assert {len(row.split()) for row in TABLE.values()} == {len(CALLERS)}


async def test_everybody_gets_what_the_table_says(
    world: World, client: httpx.AsyncClient, connection: AsyncConnection, database: Database
) -> None:
    """Each call is taken back, so that every one finds the same shop."""
    before = await rows(database)
    got = {}
    for operation in OPERATIONS:
        cells = []
        for caller in CALLERS:
            async with connection.begin_nested() as attempt:
                cells.append(await outcome(client, world, operation, caller))
                if cells[-1] in MEANT and await rows(database) != before:
                    cells[-1] += "-but-something-changed"
                await attempt.rollback()
        got[operation.id] = " ".join(cells)

    assert got == TABLE


async def outcome(client: httpx.AsyncClient, world: World, operation: Operation, caller: str) -> str:
    """What the caller gets, in the words of the table."""
    response = await client.request(**world.request(caller, operation))
    word = said(response)
    if caller != "owner" and caller not in LOOK_AFTER_ORDERS and leaks(response, world):
        return f"{word}-and-told-too-much"
    if word == "404" and "{" in operation.path:
        nothing = await client.request(**world.request(caller, operation, of_nobody=True))
        if (told(response), response.headers.keys()) != (told(nothing), nothing.headers.keys()):
            return f"{word}-unlike-nothing"
    return word


def said(response: httpx.Response) -> str:
    if response.status_code >= 500:
        return "failed"
    code = response.json()["code"] if response.status_code >= 400 else "ok"
    return next((word for word, codes in MEANT.items() if code in codes), "ok")


def leaks(response: httpx.Response, world: World) -> bool:
    """Whether the answer tells of the owner what the question did not tell already."""
    asked = str(response.request.url)
    return any(secret in response.text and secret not in asked for secret in world.secrets)


def told(response: httpx.Response) -> dict[str, object]:
    """A problem without what differs from one request to the next."""
    problem: dict[str, object] = response.json()
    return {name: value for name, value in problem.items() if name not in ("instance", "request_id")}
