"""A1 to A3, I9: other people's things, other people's rights, and fields that are nobody's to set."""

import time
from typing import Any
from uuid import UUID

from scripts.attack.attempts import Attempt
from scripts.attack.target import ADDRESS, API, Json, Target

NOWHERE = str(UUID(int=0))
EXTRAS: Json = {
    "role": "admin",
    "is_admin": True,
    "is_staff": True,
    "scopes": ["users:write"],
    "status": "active",
    "user_id": NOWHERE,
    "id": NOWHERE,
    "price": {"amount": 1, "currency": "EUR"},
    "unit_price": {"amount": 1, "currency": "EUR"},
    "total": {"amount": 1, "currency": "EUR"},
    "email_verified_at": "2020-01-01T00:00:00Z",
    "version": 99,
    "__proto__": {"role": "admin"},
}
FOR_EVERYBODY = {"Catalogue", "Reviews"}  # to read; a token shows more of it, and a bad one nothing


async def other_peoples_things(target: Target) -> list[Attempt]:
    """A customer's order, asked for by others in every way there is."""
    attempt = Attempt("A1", "a customer's order by another account, a guest, nobody, a forged guest token")
    order = await target.order_of(await target.as_("customer"))
    others = {
        "another account": await target.as_("analyst"),
        "nobody": {},
        "a made-up order token": {"X-Order-Token": "A" * 43},
        "a made-up cart token": {"X-Cart-Token": "A" * 43},
        "the order's number": {"X-Order-Token": order["number"]},
    }
    unknown: dict[str, Any] = {}
    for method, path, described in target.operations():
        if "{order_id}" not in path:
            continue
        body = {"payment_method": "pm_card_visa"} if "requestBody" in described else None
        for who, headers in others.items():
            keyed = headers | {"Idempotency-Key": "attack-of-orders"}
            for identifier in (order["id"], NOWHERE):
                answer = await target.request(method, path.replace("{order_id}", identifier), headers=keyed, json=body)
                attempt.refused(f"{who}: {method} {path}", answer, 401, 403, 404)
                said = {name: value for name, value in answer.json().items() if name not in ("request_id", "instance")}
                if unknown.setdefault(f"{who} {method} {path}", said) != said:
                    attempt.through.append(f"{who}: {method} {path} tells an order from none")
    return [attempt]


async def functions(target: Target) -> list[Attempt]:
    """Everything that needs a token without one, and everything that needs a role as a customer."""
    nobody = Attempt("A3", "every operation with a lock, by nobody; other spellings of paths")
    customer = Attempt("A2", "every operation for staff, by a customer")
    headers = await target.as_("customer")
    for method, path, described in target.operations():
        url = path
        while "{" in url:
            url = url[: url.index("{")] + NOWHERE + url[url.index("}") + 1 :]
        locks = [lock for lock in described.get("security", []) if lock]
        if not locks or any(name.startswith("Guest") for lock in locks for name in lock):
            continue
        if method != "GET" or set(described.get("tags", [])).isdisjoint(FOR_EVERYBODY):
            nobody.refused(f"{method} {path}", await target.request(method, url), 401, 415, 422, 429)
        if any(tag.endswith("for staff") for tag in described.get("tags", [])):
            answer = await target.request(method, url, headers=headers)
            customer.refused(f"{method} {path}", answer, 403)
    for path in ("/users/me", "/inventory", "/orders"):
        for spelling in (f"{API}{path}/", f"{API}/{path}", f"{API}/.{path}", f"{API}{path.upper()}", f"{API}{path}%2e"):
            nobody.refused(f"GET {spelling}", await target.request("GET", spelling), 401, 404)
        for method in ("HEAD", "TRACE", "PROPFIND", "OPTIONS"):
            nobody.refused(f"{method} {path}", await target.request(method, f"{API}{path}"), 400, 401, 404, 405)
    return [nobody, customer]


async def mass_assignment(target: Target) -> list[Attempt]:
    """Every write that takes JSON, with fields that the document does not name."""
    attempt = Attempt("I9", "mass assignment: role, price, status, ids beside the fields of every body")
    headers = await target.as_("customer")
    before = (await target.request("GET", f"{API}/users/me", headers=headers)).json()
    for method, path, described in target.operations():
        example = _example(target, described)
        if not isinstance(example, dict) or "/webhooks/" in path:
            continue
        url = path
        while "{" in url:
            url = url[: url.index("{")] + NOWHERE + url[url.index("}") + 1 :]
        keyed = headers | {"Idempotency-Key": f"attack-{time.time_ns()}"}
        for name, value in EXTRAS.items():
            if name in example or name in _properties(target, described):
                continue
            answer = await target.request(method, url, headers=keyed, json=example | {name: value})
            attempt.refused(f"{method} {path} with {name}", answer, 400, 401, 403, 404, 422, 428, 429)
    for name in ("role", "scope", "user_id", "is_admin"):
        answer = await target.request("GET", f"{API}/products", params={name: "admin"})
        attempt.refused(f"query parameter {name}", answer, 422)
    if (await target.request("GET", f"{API}/users/me", headers=headers)).json() != before:
        attempt.through.append("the account has changed")
    line = {"variant_id": await target.variant(), "quantity": 1}
    cart = await target.request("POST", f"{API}/cart/lines", json=line)
    guest = {"X-Cart-Token": cart.headers["X-Cart-Token"], "Idempotency-Key": f"attack-{time.time_ns()}"}
    order = {"email": "eve@example.com", "shipping_address": ADDRESS, "total": {"amount": 1, "currency": "EUR"}}
    attempt.refused(
        "an order with a total", await target.request("POST", f"{API}/orders", json=order, headers=guest), 422
    )
    return [attempt]


def _schema(target: Target, described: Json) -> Json:
    content = described.get("requestBody", {}).get("content", {}).get("application/json")
    schema: Json = content["schema"] if content else {}
    while "$ref" in schema:
        schema = target.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _properties(target: Target, described: Json) -> Json:
    properties: Json = _schema(target, described).get("properties", {})
    return properties


def _example(target: Target, described: Json) -> object:
    content = described.get("requestBody", {}).get("content", {}).get("application/json")
    if not content:
        return None
    if "examples" in content:
        return next(iter(content["examples"].values()))["value"]
    return content.get("example", _schema(target, described).get("example"))
