"""One purchase as a client of the API makes it, step by step: read it beside its output as a tutorial.

Needs the running shop with its sandbox (`make run` or `docker compose up`); SHOP_URL and SANDBOX_URL say where they
are, or SHOP_PORT and SANDBOX_PORT on this machine, as for `make run`. Ends with 1 at the first surprise, telling what
was expected and what came.
"""

import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table


def address(name: str, port: int) -> str:
    """Of the shop or the sandbox, from the environment; the port is what it listens on when nothing is said."""
    port = int(os.environ.get(f"{name}_PORT") or port)
    return (os.environ.get(f"{name}_URL") or f"http://localhost:{port}").rstrip("/")


SHOP_URL = address("SHOP", 8000)
SANDBOX_URL = address("SANDBOX", 8001)
PATIENCE_S = 60.0
CONNECTION: dict[str, Any] = {"timeout": 30, "trust_env": False}  # no proxy leads to this machine
POLL_INTERVAL_S = 0.25
PASSWORD = "a long enough passphrase"  # noqa: S105 - of an account that nobody needs afterwards
HOME = {
    "full_name": "Ada Lovelace",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postal_code": "10117",
    "country": "DE",
}

Json = dict[str, Any]
Result = TypeVar("Result")
console = Console(highlight=False, soft_wrap=True)


class Surprise(Exception):
    """The shop did something else than this tutorial says."""


def main() -> int:
    """Go shopping; 0 when everything went as it should."""
    started = time.monotonic()
    console.print(f"\n[bold]One purchase at {SHOP_URL}[/]  [dim]mailbox: {SANDBOX_URL}/mailbox[/]")
    try:
        with (
            httpx.Client(base_url=f"{SHOP_URL}/api/v1", event_hooks={"response": [show]}, **CONNECTION) as shop,
            httpx.Client(base_url=SANDBOX_URL, **CONNECTION) as sandbox,
        ):
            go_shopping(shop, sandbox)
    except httpx.TransportError as error:
        reason = escape(str(error) or type(error).__name__)
        console.print(f"\n[bold red]No answer from {error.request.url}[/] ({reason})")
        console.print(f"Is the shop running at {escape(SHOP_URL)}, its sandbox at {escape(SANDBOX_URL)}?")
        console.print("Start it with [bold]make run[/] in another terminal, or say where it is: [bold]SHOP_URL[/],")
        console.print("[bold]SANDBOX_URL[/], or [bold]SHOP_PORT[/] and [bold]SANDBOX_PORT[/] on this machine.\n")
        return 1
    except Surprise as surprise:
        console.print(f"\n[bold red]A surprise.[/] {escape(str(surprise))}\n")
        return 1
    except KeyError as field:
        console.print(f"\n[bold red]A surprise.[/] The last answer should have a field {field}, and has none.\n")
        return 1
    console.print(f"\n[bold green]Everything as it should be[/], in {time.monotonic() - started:.1f} s.\n")
    return 0


def go_shopping(shop: httpx.Client, sandbox: httpx.Client) -> None:
    email = f"ada.{uuid4().hex[:12]}@example.com"

    step("A newcomer registers")
    account = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"}
    expect(202, shop.post("/auth/register", json=account))
    tell(f"{email} has an account, and cannot sign in before the address is confirmed:")
    credentials = {"username": email, "password": PASSWORD}
    expect(401, shop.post("/auth/token", data=credentials), code="email_not_verified")

    step("The mail with the confirmation link arrives")
    token = wait_for_mail(sandbox, email, r"token=([\w-]+)")[1]

    step("The newcomer confirms the address")
    expect(200, shop.post("/auth/verify-email", json={"token": token}))
    tell("The link works once:")
    expect(410, shop.post("/auth/verify-email", json={"token": token}), code="token_expired")

    step("…and signs in")
    signed_in = expect(200, shop.post("/auth/token", data=credentials))
    me = expect(200, shop.get("/users/me", headers=bearer(signed_in)))
    must_be("the account's e-mail address", email, me["email"])

    step("On another device, not signed in, somebody looks for coffee")
    found = expect(200, shop.get("/products", params={"q": "coffee", "in_stock": True, "limit": 5}))["data"]
    for card in found:
        tell(f"{money(card['price_from']):>12}  {card['name']}")
    product = expect(200, shop.get(f"/products/{first(found, 'product')['slug']}"))
    variant = first([variant for variant in product["variants"] if variant["available"]], "variant in stock")

    step("A guest fills a cart")
    opened = shop.post("/cart/lines", json={"variant_id": variant["id"], "quantity": 1})
    expect(201, opened)
    guest = {"X-Cart-Token": opened.headers["X-Cart-Token"]}
    cart = expect(200, shop.get("/cart", headers=guest))
    must_be("what is in the guest's cart", [variant["id"]], variants_in(cart))

    step("Signing in takes the guest's cart along")
    signed_in = expect(200, shop.post("/auth/token", data=credentials, headers=guest))
    shop.headers.update(bearer(signed_in))
    cart = expect(200, shop.get("/cart"))
    must_be("what is in the customer's cart", [variant["id"]], variants_in(cart))

    step("The address decides on tax and shipping")
    expect(200, shop.put("/cart/address", json=HOME))
    ways = expect(200, shop.get("/cart/shipping-options"))["data"]
    cart = expect(200, shop.put("/cart/shipping-method", json={"shipping_method_id": first(ways, "way to ship")["id"]}))
    show_receipt(cart)

    step("The order reserves the stock; its key makes it safe to send again")
    checkout = {"expected_total": cart["totals"]["total"], "shipping_address": HOME}
    key = {"Idempotency-Key": str(uuid4())}
    order = expect(201, shop.post("/orders", json=checkout, headers=key))
    again = expect(201, shop.post("/orders", json=checkout, headers=key))
    must_be("the order of the repeated request", order["number"], again["number"])
    must_be("the order's status", ("pending_payment", "pending"), state(order))

    step("A card is declined")
    problem = expect(402, pay(shop, order, "pm_card_chargeDeclinedInsufficientFunds"), code="card_declined")
    must_be("the bank's reason", "insufficient_funds", problem["decline_code"])
    tell(f"{problem['detail']} [dim]({problem['decline_code']})[/]")

    step("A good card pays")
    expect(201, pay(shop, order, "pm_card_visa"))
    order = wait_until(lambda: paid(shop, order), "the order should be confirmed and paid")
    tell(f"Order {order['number']} is [bold]{order['status']}[/] and [bold]{order['payment_status']}[/].")

    step("The confirmation is in the mailbox")
    wait_for_mail(sandbox, email, re.escape(order["number"]))


# What the steps are made of


def bearer(tokens: Json) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def pay(shop: httpx.Client, order: Json, method: str) -> httpx.Response:
    """Each attempt has a key of its own; the payment stays the same."""
    key = {"Idempotency-Key": str(uuid4())}
    return shop.post(f"/orders/{order['id']}/payments", json={"payment_method": method}, headers=key)


def paid(shop: httpx.Client, order: Json) -> Json | None:
    """The order as it is now, once it is paid."""
    order = expect(200, shop.get(f"/orders/{order['id']}"))
    return order if state(order) == ("confirmed", "paid") else None


def state(order: Json) -> tuple[str, str]:
    return order["status"], order["payment_status"]


def variants_in(cart: Json) -> list[str]:
    return [line["variant_id"] for line in cart["lines"]]


def wait_for_mail(sandbox: httpx.Client, email: str, containing: str) -> re.Match[str]:
    """What the pattern finds in the newest mail to this address that contains it."""

    def look() -> re.Match[str] | None:
        mails = expect(200, sandbox.get("/mailbox/messages", params={"to": email}))["data"]
        for mail in mails:
            if match := re.search(containing, mail["text"]):
                tell(f"“{mail['subject']}” from {mail['from']}")
                return match
        return None

    return wait_until(look, f"a mail with {containing} should have reached {email}")


def wait_until(look: Callable[[], Result | None], expected: str) -> Result:
    deadline = time.monotonic() + PATIENCE_S
    while (seen := look()) is None:
        if time.monotonic() > deadline:
            raise Surprise(f"After {PATIENCE_S:.0f} s {expected}, and that did not happen.")
        time.sleep(POLL_INTERVAL_S)
    return seen


def expect(status: int, response: httpx.Response, code: str | None = None) -> Json:
    """The body of an answer with this status, and this `code` when it is a problem."""
    try:
        body: Json = response.json()
    except ValueError:
        body = {}
    if response.status_code != status or body.get("code") != code:
        asked = f"{response.request.method} {response.request.url}"
        wanted = f"{status} {code or ''}".strip()
        raise Surprise(f"{asked} should answer {wanted}, and answered {response.status_code}: {response.text[:2000]}")
    return body


def first(found: list[Json], kind: str) -> Json:
    if not found:
        raise Surprise(f"The shop should offer at least one {kind}, and offers none.")
    return found[0]


def must_be(what: str, expected: object, actual: object) -> None:
    if actual != expected:
        raise Surprise(f"Expected {what} to be {expected!r}, and it is {actual!r}.")


# How it looks


def step(title: str) -> None:
    console.print(f"\n[bold cyan]●[/] [bold]{title}[/]")


def show(response: httpx.Response) -> None:
    """Called by httpx for every answer of the shop, before its body is read."""
    request = response.request
    address = escape(request.url.raw_path.decode().removeprefix("/api/v1"))
    colour, code = "green", ""
    if response.headers.get("content-type") == "application/problem+json":
        response.read()
        colour, code = "yellow", f"  [yellow]{response.json()['code']}[/]"
    console.print(f"  [{colour}]{response.status_code}[/]  [bold]{request.method:<5}[/] {address}{code}")


def tell(sentence: str) -> None:
    console.print(f"       {sentence}")


def money(amount: Json) -> str:
    return f"{amount['amount'] / 100:.2f} {amount['currency']}"


def show_receipt(cart: Json) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=36)
    table.add_column(justify="right")
    for line in cart["lines"]:
        table.add_row(escape(f"{line['quantity']} x {line['name']}"), money(line["total"]))
    table.add_row(escape(cart["shipping"]["method"]["name"]), money(cart["totals"]["shipping"]))
    table.add_row("[bold]Total[/]", f"[bold]{money(cart['totals']['total'])}[/]")
    table.add_row("[dim]of which tax[/]", f"[dim]{money(cart['totals']['tax'])}[/]")
    console.print(Padding.indent(table, 7))


if __name__ == "__main__":
    sys.exit(main())
