"""`Idempotency-Key` on adding to a cart: sent or not, and whose it is."""

from typing import Any

import httpx
import pytest

from app.core.security import new_secret
from app.database import Database
from app.models.products import Variant
from app.shop import Shop
from tests.support.accounts import code
from tests.support.shopping import API, add_product, guest_cart, keyed, signed_in


async def add(
    client: httpx.AsyncClient, headers: dict[str, str], variant: Variant, key: str | None, quantity: int = 2
) -> httpx.Response:
    body = {"variant_id": str(variant.id), "quantity": quantity}
    return await client.post(f"{API}/cart/lines", json=body, headers=keyed(headers, key) if key else headers)


def quantities(cart: dict[str, Any]) -> list[int]:
    return [line["quantity"] for line in cart["lines"]]


@pytest.fixture(params=["guest", "customer"])
async def shopper(request: pytest.FixtureRequest, client: httpx.AsyncClient, shop: Shop) -> dict[str, str]:
    return await (guest_cart(client) if request.param == "guest" else signed_in(shop))


async def test_the_same_key_adds_once(client: httpx.AsyncClient, database: Database, shopper: dict[str, str]) -> None:
    mug = await add_product(database)

    first = await add(client, shopper, mug, "once")
    again = await add(client, shopper, mug, "once")
    anew = await add(client, shopper, mug, "another")

    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    assert again.headers["ETag"] == first.headers["ETag"] == f'"v{first.json()["version"]}"'
    assert quantities(anew.json()) == [4]


async def test_with_a_key_or_without_the_answer_is_the_same(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database)

    def described(answer: httpx.Response) -> tuple[Any, ...]:
        body = answer.json()
        del body["id"], body["expires_at"], body["lines"][0]["id"]
        return answer.status_code, answer.headers["ETag"], answer.headers["Content-Type"], body

    with_key = await add(client, await guest_cart(client), mug, "once")
    without = await add(client, await guest_cart(client), mug, None)

    assert described(with_key) == described(without)


async def test_a_key_belongs_to_one_body_and_one_cart(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database)
    mine, theirs = await guest_cart(client), await guest_cart(client)
    await add(client, mine, mug, "shared")

    other_body = await add(client, mine, mug, "shared", quantity=3)
    other_cart = await add(client, theirs, mug, "shared")

    assert (other_body.status_code, code(other_body)) == (422, "idempotency_key_reused")
    assert (other_cart.status_code, quantities(other_cart.json())) == (201, [2])


async def test_a_refusal_may_be_tried_again(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(database, stock=1)
    cart = await guest_cart(client)

    refused = await add(client, cart, mug, "again")
    refused_again = await add(client, cart, mug, "again")

    assert [code(refused), code(refused_again)] == ["insufficient_stock", "insufficient_stock"]


@pytest.mark.parametrize("token", [None, new_secret()], ids=["none", "unknown"])  # processes must agree on names
async def test_the_secret_of_a_new_cart_is_never_repeated(
    client: httpx.AsyncClient, database: Database, token: str | None
) -> None:
    mug = await add_product(database)
    stranger = {"X-Cart-Token": token} if token else {}

    first, again = [await add(client, stranger, mug, "once") for _ in range(2)]

    assert first.headers["X-Cart-Token"] != again.headers["X-Cart-Token"]
    assert [quantities(first.json()), quantities(again.json())] == [[2], [2]]


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "\u00e4"])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, database: Database, key: str) -> None:
    mug = await add_product(database)
    headers = httpx.Headers([(b"Idempotency-Key", key.encode("latin-1"))])

    refused = await client.post(f"{API}/cart/lines", json={"variant_id": str(mug.id)}, headers=headers)

    assert (refused.status_code, code(refused)) == (400, "invalid_idempotency_key")
