"""Writes, against pgbench running the statements that the service was seen to run (floor c)."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bench.carts import LINES, Carts, expressions, token, variants
from bench.catalogue import skus_of
from bench.messages import API, post, send
from bench.processes import Server
from bench.scenarios.stage import WRITERS, Scenario, Stage
from bench.sides import PgbenchSide, transactions_per_second
from bench.statements import captured, script

ADDED_TO = 2_000
ADDED_SKUS = 100
HOT_SKUS = 10
TRIAL = 20  # transactions of each client of pgbench, that tell how many carts a second can take
FEW, SPARE = 1_000, 4  # so many at least, and so many times what the trial took
EMAIL = "ada@example.com"
ADDRESS = {
    "full_name": "Ada Lovelace",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postal_code": "10117",
    "country": "DE",
}
UNTIL_PREPARED = 5  # after so many equal requests nothing is done for the first time


def add_to_cart(stage: Stage) -> Scenario:
    """One more of what is in a guest's cart already."""
    api, numbers = stage.surroundings.api, stage.carts.make(ADDED_TO, ADDED_SKUS)
    drawn = {"first": numbers.start, "last": numbers.stop - 1, "skus": ADDED_SKUS}
    return Scenario(
        service=stage.writes(api, [_addition(number, line) for line in range(LINES) for number in numbers]),
        floor=_pgbench(
            stage,
            "add_to_cart",
            "\\set cart random(:first, :last)\n",
            lambda _: drawn,
            _seen(stage, api, lambda number: _addition(number, line=0), ADDED_SKUS),
        ),
    )


def checkout_spread(stage: Stage) -> Scenario:
    """A guest orders a cart of three lines; SKUs are as good as never the same."""
    return _checkout(stage, "checkout_spread", skus_of(stage.catalogue.products))


def checkout_hot(stage: Stage) -> Scenario:
    """The same with ten SKUs: everybody waits for everybody's rows of stock."""
    return _checkout(stage, "checkout_hot", HOT_SKUS)


def _checkout(stage: Stage, name: str, skus: int) -> Scenario:
    api, ready = stage.surroundings.api_without_provider, _ReadyCarts(stage.carts, skus)
    floor = _pgbench(
        stage,
        name,
        "\\set cart :first + :client_id * :block + :n\n\\set n :n + 1\n",
        ready.variables,
        _seen(stage, api, _order, skus),
    )
    trial = floor.run(ready.block(TRIAL), f"--client={WRITERS}", f"--transactions={TRIAL}")
    ready.a_second = max(FEW, SPARE * transactions_per_second(trial))
    return Scenario(service=replace(stage.writes(api, ()), fresh=ready.orders), floor=floor)


@dataclass(slots=True)
class _ReadyCarts:
    """Carts that wait to be ordered, made for each measurement: a cart can be ordered once."""

    carts: Carts
    skus: int
    a_second: float = 0

    def orders(self, seconds: float) -> list[str]:
        """Requests to the service."""
        return [_order(number) for number in self.carts.make(math.ceil(seconds * self.a_second), self.skus)]

    def variables(self, seconds: float) -> dict[str, int]:
        """What tells pgbench about as many carts."""
        return self.block(math.ceil(seconds * self.a_second / WRITERS))

    def block(self, size: int) -> dict[str, int]:
        """The same for so many of each client."""
        return {"first": self.carts.make(WRITERS * size, self.skus).start, "block": size, "n": 0, "skus": self.skus}


def _addition(cart: int, line: int) -> str:
    variant = variants(cart, ADDED_SKUS)[line]
    return post(f"{API}/cart/lines", {"variant_id": str(variant)}, {"X-Cart-Token": token(cart)})


def _order(cart: int) -> str:
    headers = {"X-Cart-Token": token(cart), "Idempotency-Key": f"order-{token(cart)}"}
    return post(f"{API}/orders", {"email": EMAIL, "shipping_address": ADDRESS}, headers)


def _seen(stage: Stage, api: Server, request: Callable[[int], str], skus: int) -> str:
    """What the service runs for one such request, as a script for pgbench about `:cart`."""
    *first, last = stage.carts.make(UNTIL_PREPARED + 1, skus)
    for cart in first:
        send(api, request(cart))
    sent_at = time.time()
    statements = captured(stage.surroundings.postgres, lambda: send(api, request(last)))
    return script(statements, expressions(last, skus), sent_at)


def _pgbench(
    stage: Stage, name: str, drawing: str, variables: Callable[[float], Mapping[str, int]], statements: str
) -> PgbenchSide:
    """`drawing` sets `:cart` out of what `variables` tells."""
    path = stage.surroundings.home / f"{name}.sql"
    path.write_text(drawing + statements)
    return PgbenchSide(stage.surroundings.postgres, path, WRITERS, variables)
