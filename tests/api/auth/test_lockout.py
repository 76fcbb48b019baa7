"""Guessing, and that it cannot be used to lock somebody out (docs/decisions/0010-guessing-and-lockout.md)."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.credentials import GuessBudget, KnownOrigin
from app.models.users import User
from app.routers.devices import COOKIE
from app.services.guess_limits import PASSWORDS, PASSWORDS_OF_STRANGERS
from app.shop import Shop
from tests.support.accounts import ADA, API, all_of, change, code, sign_in
from tests.support.statements import count_statements

At = Callable[[str], httpx.AsyncClient]
WRONG = "not the password"


async def guess(client: httpx.AsyncClient, times: int, username: str = ADA["email"]) -> list[httpx.Response]:
    return [await sign_in(client, WRONG, username=username) for _ in range(times)]


async def exhaust_strangers(client_at: At) -> None:
    """As an attacker with many addresses would."""
    for number in range(PASSWORDS_OF_STRANGERS.at_once):
        (response,) = await guess(client_at(f"198.51.100.{number}"), 1)
        assert code(response) == "invalid_credentials"
    assert code(await sign_in(client_at("198.51.100.200"), WRONG)) == "account_locked"


def told(response: httpx.Response) -> tuple[Any, ...]:
    """All that an answer tells but the id and the time of its request."""
    headers = {name: value for name, value in response.headers.items() if name not in {"x-request-id", "date"}}
    body = {name: value for name, value in response.json().items() if name != "request_id"}
    return response.status_code, headers, body


@pytest.mark.usefixtures("ada")
async def test_a_network_has_ten_guesses_and_waits_then(client_at: At) -> None:
    attacker = client_at("198.51.100.1")

    wrong, late = await guess(attacker, PASSWORDS.at_once), await guess(attacker, 2)
    right = await sign_in(attacker)

    assert Counter(map(code, wrong)) == {"invalid_credentials": PASSWORDS.at_once}
    for response in (*late, right):
        assert (response.status_code, code(response)) == (423, "account_locked")
        wait = int(response.headers["Retry-After"])
        assert 0 < wait <= PASSWORDS.comes_back_after.total_seconds()
        assert response.json()["retry_after"] == wait


async def test_a_guess_comes_back_after_a_while(client_at: At, database: Database, ada: User) -> None:
    attacker = client_at("198.51.100.1")
    await guess(attacker, PASSWORDS.at_once + 1)

    await change(database, GuessBudget, restored_at=GuessBudget.restored_at - PASSWORDS.comes_back_after)

    assert [code(each) for each in await guess(attacker, 2)] == ["invalid_credentials", "account_locked"]
    await change(database, GuessBudget, restored_at=GuessBudget.restored_at - PASSWORDS.comes_back_after)
    assert (await sign_in(attacker)).status_code == 200


async def test_right_passwords_are_no_guesses(client: httpx.AsyncClient, database: Database, ada: User) -> None:
    counted = await all_of(database, select(GuessBudget.restored_at))

    for _ in range(PASSWORDS.at_once + 2):
        assert (await sign_in(client)).status_code == 200

    assert await all_of(database, select(GuessBudget.restored_at)) == counted


@pytest.mark.usefixtures("ada")
async def test_any_number_of_addresses_is_one_stranger(client_at: At) -> None:
    await exhaust_strangers(client_at)

    for number in range(201, 205):
        assert code(await sign_in(client_at(f"198.51.100.{number}"), WRONG)) == "account_locked"
    assert code(await sign_in(client_at("2001:db8::1"), WRONG)) == "account_locked"


@pytest.mark.usefixtures("ada")
async def test_a_subscriber_of_ipv6_is_one_network(client_at: At) -> None:
    for number in range(PASSWORDS.at_once):
        assert code(await sign_in(client_at(f"2001:db8::{number + 1:x}"), WRONG)) == "invalid_credentials"

    assert code(await sign_in(client_at("2001:db8::ffff"), WRONG)) == "account_locked"
    assert code(await sign_in(client_at("2001:db8:0:1::1"), WRONG)) == "invalid_credentials"


@pytest.mark.usefixtures("ada")
async def test_the_owner_signs_in_from_where_they_have_before(client_at: At) -> None:
    assert (await sign_in(client_at("192.0.2.1"))).status_code == 200
    await exhaust_strangers(client_at)

    for _ in range(3):
        at_home = client_at("192.0.2.1")  # without cookies: a program, or a browser that forgets
        assert (await sign_in(at_home)).status_code == 200
        assert code(await sign_in(at_home, WRONG)) == "invalid_credentials"


@pytest.mark.usefixtures("ada")
async def test_a_device_of_the_owner_is_known_wherever_it_is(client_at: At) -> None:
    phone = client_at("192.0.2.1")
    assert (await sign_in(phone)).status_code == 200
    await exhaust_strangers(client_at)
    attacker = client_at("192.0.2.1")  # the neighbour behind the same address
    await guess(attacker, PASSWORDS.at_once)
    assert code(await sign_in(attacker)) == "account_locked"

    abroad = client_at("203.0.113.9")
    abroad.cookies = phone.cookies
    for device in (phone, abroad):
        assert (await sign_in(device)).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_a_device_has_its_own_limit(client_at: At) -> None:
    phone = client_at("192.0.2.1")
    await sign_in(phone)

    await guess(phone, PASSWORDS.at_once)

    assert code(await sign_in(phone)) == "account_locked"
    assert (await sign_in(client_at("192.0.2.1"))).status_code == 200


async def test_the_cookie_of_a_device(client_at: At, database: Database, ada: User) -> None:
    phone = client_at("192.0.2.1")
    first, second = await sign_in(phone), await sign_in(phone)

    attributes = first.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=strict", f"Path={API}/auth/token"} <= set(attributes)
    assert "Secure" not in attributes  # the test's public address is plain http
    assert first.cookies[COOKIE] == second.cookies[COOKIE]
    assert len(first.cookies[COOKIE]) == 43
    origins = await all_of(database, select(KnownOrigin.origin))
    assert len(origins) == 2  # a network and a device
    assert first.cookies[COOKIE].encode() not in b"".join(origins)
    assert "Set-Cookie" not in (await sign_in(phone, WRONG)).headers


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("planted", ["x", "A" * 43, "é", '"'])
async def test_a_cookie_that_we_did_not_give_is_worth_nothing(client_at: At, planted: str) -> None:
    attacker = client_at("198.51.100.1")
    await guess(attacker, PASSWORDS.at_once)
    header = {b"Cookie": f"{COOKIE}={planted}".encode()}

    assert code(await sign_in(attacker, headers=header)) == "account_locked"
    accepted = await sign_in(client_at("198.51.100.2"), headers=header)
    assert accepted.status_code == 200
    assert accepted.cookies[COOKIE] != planted


@pytest.mark.usefixtures("ada")
async def test_a_reset_opens_the_account_to_whoever_reads_its_mails(client_at: At, ada: User, shop: Shop) -> None:
    await sign_in(client_at("192.0.2.1"))
    await exhaust_strangers(client_at)
    owner = client_at("203.0.113.9")
    assert code(await sign_in(owner)) == "account_locked"
    mail = await shop.credentials.issue_reset(ada.id)
    assert mail

    body = {"token": mail.token, "new_password": "another long passphrase"}
    assert (await owner.post(f"{API}/auth/password/reset", json=body)).status_code == 200

    assert (await sign_in(owner, "another long passphrase")).status_code == 200
    assert code(await sign_in(client_at("192.0.2.1"), "another long passphrase")) == "account_locked"


@pytest.mark.parametrize("username", ["ada@example.com", "ADA@example.com"])
@pytest.mark.usefixtures("ada")
async def test_writing_the_address_otherwise_is_no_way_around(client_at: At, username: str) -> None:
    attacker = client_at("198.51.100.1")
    await guess(attacker, PASSWORDS.at_once)

    assert code(await sign_in(attacker, username=username)) == "account_locked"


async def test_an_address_without_an_account_is_locked_likewise(client_at: At, ada: User) -> None:
    """Also from where somebody has signed in to the one that exists: as many tries, and the same answers."""
    await sign_in(client_at("192.0.2.1"))

    for address in ("192.0.2.1", "198.51.100.1"):
        known = [told(each) for each in await guess(client_at(address), PASSWORDS.at_once + 2)]
        unknown = [
            told(each) for each in await guess(client_at(address), PASSWORDS.at_once + 2, username="nobody@example.com")
        ]
        assert known == unknown
        assert [status for status, _, _ in known] == [401] * PASSWORDS.at_once + [423] * 2


async def test_an_address_without_an_account_takes_the_same_work(
    client_at: At, shop: Shop, connection: AsyncConnection, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = 0
    verify = shop.passwords.verify

    async def counted(password: str, hashed_password: str | None) -> bool:
        nonlocal hashed
        hashed += 1
        return await verify(password, hashed_password)

    monkeypatch.setattr(shop.passwords, "verify", counted)

    async def work(username: str) -> tuple[list[str], int]:
        nonlocal hashed
        hashed = 0
        with count_statements(connection) as statements:
            await sign_in(client_at("198.51.100.1"), WRONG, username=username)
        return statements, hashed

    assert await work("nobody@example.com") == await work("ada@example.com")
    assert hashed == 1


async def test_the_tables_name_nobody_and_are_cleaned(client_at: At, database: Database, ada: User) -> None:
    await guess(client_at("198.51.100.1"), 1, username="nobody@example.com")
    (name, *_) = await all_of(database, select(GuessBudget.name))
    assert len(name) == 32

    await change(database, GuessBudget, restored_at=GuessBudget.restored_at - PASSWORDS.full)
    async with database.transaction() as tx:
        await tx.guesses.forget_expired()

    assert await all_of(database, select(GuessBudget.name)) == []
