"""A shop in which everything belongs to somebody, and callers of every kind who want it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import update

from app.core.clock import now
from app.core.ids import uuid7
from app.core.security import digest, new_secret
from app.models.api_keys import ApiKey
from app.models.categories import Category
from app.models.jobs import Job, JobType
from app.models.products import ProductMedia, Variant
from app.models.scopes import FOR_SERVICES
from app.models.users import Role, User
from app.shop import Shop
from tests.support.operations import NOWHERE, Json, Operation
from tests.support.permissions import STAFF
from tests.support.reviews import id_of, written
from tests.support.shopping import (
    ADDRESS,
    API,
    add,
    add_delivery,
    add_product,
    check_out,
    guest_cart,
    keyed,
    place,
    signed_in,
)

Headers = dict[str, str]
NAME, STREET = "Canary Owner", "Canary Street 7"
OWNERS_ADDRESS = ADDRESS | {"full_name": NAME, "line1": STREET}


@dataclass(frozen=True)
class World:
    """`ids` are those of the owner's things, by the names that paths have for them. Nobody else is told `secrets`."""

    callers: dict[str, Headers]
    ids: dict[str, str]
    secrets: frozenset[str]
    bodies: dict[str, Json]

    def request(self, caller: str, operation: Operation, *, of_nobody: bool = False) -> dict[str, Any]:
        """What an HTTP client needs to ask for the owner's thing, or for one that does not exist."""
        wanted = self._wanted(operation)
        return {
            "method": operation.method,
            "url": "/".join(
                (str(NOWHERE) if of_nobody else wanted[step]) if step.startswith("{") else step
                for step in operation.path.split("/")
            ),
            "headers": keyed(self.callers[caller]) | {"If-Match": '"v1"'},
            **self._body(operation),
        }

    def _wanted(self, operation: Operation) -> dict[str, str]:
        kind = operation.path.removeprefix(f"{API}/").partition("/")[0]
        return {f"{{{name}}}": value for name, value in self.ids.items()} | {
            "{id_or_slug}": self.ids["category_id" if kind == "categories" else "product_id"]
        }

    def _body(self, operation: Operation) -> dict[str, Any]:
        if body := self.bodies.get(operation.id) or operation.example:
            return {"json": body}
        forms = operation.described.get("requestBody", {}).get("content", {})
        return {"data": {"username": "a@example.com", "password": "x"}} if forms else {}


async def populated(client: httpx.AsyncClient, shop: Shop) -> World:
    await add_delivery(shop.database)
    mug = await add_product(shop.database, stock=500)
    owner = await signed_in(shop)
    owner_id = id_of(shop, owner)
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(User).where(User.id == owner_id).values(full_name=NAME))
        email = (await tx.session.get_one(User, owner_id)).email
    order = await _ordered(client, owner, mug)
    line = (await add(client, owner, mug)).json()["lines"][0]
    await client.put(f"{API}/cart/address", json=OWNERS_ADDRESS, headers=owner)
    review = await written(client, mug.product_id, owner, body="See https://example.com")  # links wait for support
    address = (await client.post(f"{API}/users/me/addresses", json=OWNERS_ADDRESS, headers=owner)).json()
    other = await signed_in(shop)
    await add(client, other, mug)
    _, guests_order = await place(client, (mug, 1))
    guest = await guest_cart(client, (mug, 1)) | guests_order
    ids = {
        "product_id": str(mug.product_id),
        "variant_id": str(mug.id),
        "order_id": order["id"],
        "line_id": line["id"],
        "review_id": review["id"],
        "address_id": address["id"],
        "user_id": str(owner_id),
        "session_id": str(_session_of(shop, owner)),
        **await _written_past_the_api(shop, mug, owner),
    }
    blank = shop.tokens.issue(owner_id, _session_of(shop, owner), "")
    callers = {
        "nobody": {},
        "guest": guest,
        "other": other,
        **{role: await signed_in(shop, Role(role)) for role in STAFF},
        "owner": owner,
        "blank": {"Authorization": f"Bearer {blank}"},
        "key": {"Authorization": f"Bearer {await _key(shop, 'nothing')}"},
        "service": {"Authorization": f"Bearer {await _key(shop, *FOR_SERVICES)}"},
    }
    secret = {order["id"], order["number"], line["id"], review["id"], address["id"], email, NAME, STREET}
    bodies: dict[str, Json] = {
        "cart_add_line": {"variant_id": str(mug.id), "quantity": 1},
        "orders_place": {"email": "guest@example.com", "shipping_address": ADDRESS},
    }
    return World(callers, ids, frozenset(secret), bodies)


async def _ordered(client: httpx.AsyncClient, customer: Headers, mug: Variant) -> Json:
    await add(client, customer, mug)
    placed = await check_out(client, customer, shipping_address=OWNERS_ADDRESS)
    assert placed.status_code == 201, placed.text
    order: Json = placed.json()
    return order


async def _written_past_the_api(shop: Shop, mug: Variant, owner: Headers) -> Headers:
    """What takes a worker, or files, to come into being."""
    picture = ProductMedia(product_id=mug.product_id, key="canary", width=8, height=6, alt="", position=0)
    category = Category(slug="cups", name="Cups", path="cups")
    job = Job(type=JobType.PERSONAL_DATA_EXPORT, owner_id=id_of(shop, owner))
    async with shop.database.transaction() as tx:
        tx.session.add_all([picture, category, job])
        await tx.session.flush()
    await _key(shop, "nothing")
    async with shop.database.snapshot() as tx:
        [key] = await tx.api_keys.page(None, 1)
    return {
        "media_id": str(picture.id),
        "category_id": str(category.id),
        "job_id": str(job.id),
        "api_key_id": str(key.id),
    }


def _session_of(shop: Shop, person: Headers) -> Any:
    return shop.tokens.read(person["Authorization"].removeprefix("Bearer ")).session_id


async def _key(shop: Shop, *scopes: str) -> str:
    """A key past the API, which makes none without a scope."""
    secret = f"emp_test_{new_secret()}"
    key = ApiKey(
        id=uuid7(),
        name="a service",
        prefix=secret[:13],
        hash=digest(secret),
        scopes=list(scopes),
        expires_at=now() + timedelta(days=1),
    )
    async with shop.database.transaction() as tx:
        await tx.api_keys.add(key)
    return secret
