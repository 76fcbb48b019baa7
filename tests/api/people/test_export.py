"""Everything that the shop holds on somebody, for that person."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Table, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.clock import now
from app.database import Database
from app.models import Base
from app.models.base import table_of
from app.models.jobs import Job, JobResult
from app.models.users import User
from app.repositories.personal_data import parts
from app.shop import Shop
from tests.support.accounts import all_of, change, code
from tests.support.outbox import deliver
from tests.support.people import PHONE, keep
from tests.support.shopping import ADDRESS, API, add, add_delivery, add_product, keyed
from tests.support.statements import count_statements

EXPORT = f"{API}/users/me/export"
NOT_TOLD = {
    "api_keys": "keys of services, which an administrator made for the shop",
    "known_origins": "hashes of devices, which say nothing to anybody",
    "one_time_tokens": "hashes of links, which say nothing to anybody",
    "stock_movements": "what staff did for the shop",
}


async def ask(client: httpx.AsyncClient, person: dict[str, str]) -> dict[str, Any]:
    asked = await client.get(EXPORT, headers=person)
    assert asked.status_code == 202, asked.text
    job: dict[str, Any] = asked.json()
    assert asked.headers["location"] == f"{API}/jobs/{job['id']}"
    return job


async def fetch(client: httpx.AsyncClient, job: dict[str, Any], person: dict[str, str]) -> httpx.Response:
    return await client.get(f"{API}/jobs/{job['id']}/result", headers=person)


async def test_it_holds_all_that_is_theirs_and_nothing_else(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: dict[str, str], bob: dict[str, str]
) -> None:
    await add_delivery(database)
    mug = await add_product(database)
    for person, street in ((ada, "Ada Street 1"), (bob, "Bob Street 2")):
        await keep(client, person, line1=street, phone=PHONE)
        await add(client, person, mug)
        await client.post(f"{API}/orders", json={}, headers=keyed(person))
        await client.post(
            f"{API}/products/{mug.product_id}/reviews", json={"rating": 5, "title": street}, headers=person
        )
        await client.put(f"{API}/cart/address", json=ADDRESS | {"line1": street}, headers=person)
        await add(client, person, mug)

    job = await ask(client, ada)
    waiting = await fetch(client, job, ada)
    await deliver(shop)
    done = (await client.get(f"{API}/jobs/{job['id']}", headers=ada)).json()
    exported = await fetch(client, job, ada)

    assert (job["status"], job["progress"]) == ("queued", 0)
    assert (waiting.status_code, code(waiting), waiting.json()["state"]) == (409, "result_not_ready", "queued")
    assert (done["status"], done["progress"], done["error"]) == ("succeeded", 100, None)
    assert exported.headers["content-disposition"] == 'attachment; filename="emporium-personal-data.json"'
    assert exported.headers["cache-control"] == "no-store"
    data = exported.json()
    assert data["account"]["full_name"] == "Ada"
    assert [address["line1"] for address in data["addresses"]] == ["Ada Street 1"]
    assert [order["shipping_address"]["line1"] for order in data["orders"]] == ["Ada Street 1"]
    assert [len(data[part]) for part in ("order_lines", "payments", "reviews", "sessions")] == [1, 1, 1, 1]
    assert data["addresses"][0]["phone"] == PHONE
    assert "Bob Street" not in exported.text
    assert not {"password_hash", "refresh_hash", "token_hash"} & set(json.dumps(data).split('"'))


async def test_it_is_encrypted_where_it_waits(
    client: httpx.AsyncClient, connection: AsyncConnection, shop: Shop, ada: dict[str, str]
) -> None:
    await ask(client, ada)
    await deliver(shop)

    stored = (await connection.execute(text("SELECT content FROM job_results"))).scalar_one()

    assert stored.startswith("v1.")


async def test_somebody_elses_job_is_not_there(
    client: httpx.AsyncClient, shop: Shop, ada: dict[str, str], bob: dict[str, str]
) -> None:
    job = await ask(client, ada)
    await deliver(shop)

    for path in (f"{API}/jobs/{job['id']}", f"{API}/jobs/{job['id']}/result", f"{API}/jobs/{uuid4()}"):
        theirs, nobodys = await client.get(path, headers=bob), await client.get(path)
        assert (theirs.status_code, code(theirs)) == (404, "not_found")
        assert (nobodys.status_code, code(nobodys)) == (401, "invalid_token")


async def test_it_can_be_fetched_for_a_day(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: dict[str, str]
) -> None:
    job = await ask(client, ada)
    await deliver(shop)
    await change(database, Job, expires_at=now() - timedelta(seconds=1))

    expired = await fetch(client, job, ada)
    async with database.transaction() as tx:
        await tx.jobs.forget_expired()

    assert (expired.status_code, code(expired)) == (410, "result_expired")
    assert await all_of(database, select(func.count()).select_from(JobResult)) == [0]
    assert code(await fetch(client, job, ada)) == "result_expired"


async def test_asking_again_while_one_is_made_gets_that_one_and_the_next_replaces_it(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: dict[str, str]
) -> None:
    first = await ask(client, ada)
    assert await ask(client, ada) == first
    await deliver(shop)
    second = await ask(client, ada)
    kept = await fetch(client, first, ada)
    await deliver(shop)

    assert second["id"] != first["id"]
    assert kept.status_code == 200
    assert (await fetch(client, first, ada)).status_code == 404
    assert (await fetch(client, second, ada)).status_code == 200
    assert await all_of(database, select(func.count()).select_from(JobResult)) == [1]


async def test_a_job_whose_worker_died_is_done_again_and_one_that_is_done_is_not(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: dict[str, str]
) -> None:
    job = await ask(client, ada)
    async with database.transaction() as tx:
        begun = await tx.jobs.begin((await all_of(database, select(Job.id)))[0])
    assert begun is not None
    await shop.personal_data.export(begun.id)
    finished = (await client.get(f"{API}/jobs/{job['id']}", headers=ada)).json()

    await shop.personal_data.export(begun.id)

    assert finished["status"] == "succeeded"
    assert (await client.get(f"{API}/jobs/{job['id']}", headers=ada)).json() == finished


async def test_what_cannot_be_made_fails_and_says_so(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: dict[str, str]
) -> None:
    await keep(client, ada)
    async with database.transaction() as tx:  # clear text where there has to be ciphertext
        await tx.session.execute(text("UPDATE addresses SET line1 = 'tampered with'"))
    job = await ask(client, ada)
    await deliver(shop)

    failed = (await client.get(f"{API}/jobs/{job['id']}", headers=ada)).json()

    assert (failed["status"], failed["error"]) == ("failed", "internal_error")
    assert code(await fetch(client, job, ada)) == "result_not_ready"
    assert (await ask(client, ada))["id"] != job["id"]


async def test_it_takes_as_many_statements_for_much_as_for_little(
    client: httpx.AsyncClient, connection: AsyncConnection, shop: Shop, ada: dict[str, str]
) -> None:
    counts = []
    for more in (1, 10):
        for _ in range(more):
            await keep(client, ada)
        await ask(client, ada)
        with count_statements(connection) as statements:
            await deliver(shop)
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_no_table_with_somebodys_data_is_forgotten() -> None:
    told = {
        table.name
        for statement in parts(uuid4()).values()
        for table in statement.get_final_froms()
        if isinstance(table, Table)
    }
    holding = {
        table.name
        for table in Base.metadata.sorted_tables
        if table is not table_of(User) and any(each.column.table is table_of(User) for each in table.foreign_keys)
    }

    assert holding - told == NOT_TOLD.keys()


@pytest.mark.parametrize("state", ["running", "failed", "succeeded"])
async def test_progress_moves_only_while_it_runs(
    client: httpx.AsyncClient, database: Database, ada: dict[str, str], state: str
) -> None:
    job = await ask(client, ada)
    async with database.transaction() as tx:
        error = "internal_error" if state == "failed" else None
        await tx.session.execute(update(Job).values(state=state, error=error))
        [job_id] = (await tx.session.execute(select(Job.id))).scalars()
        await tx.jobs.progress(job_id, 80)

    shown = (await client.get(f"{API}/jobs/{job['id']}", headers=ada)).json()

    assert shown["progress"] == (80 if state == "running" else 0)
