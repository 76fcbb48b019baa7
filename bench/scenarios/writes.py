"""Writes, against pgbench running the same statements (floor c)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench import carts
from bench.messages import API, post, send
from bench.scenarios.stage import WRITERS, Scenario, Stage
from bench.sides import HttpSide, PgbenchSide, transactions_per_second
from bench.statements import captured, must_be_alike

SCRIPTS = Path(__file__).parent.parent / "pgbench"
ADDED_TO = 2_000
ADDED_SKUS = 100
SPREAD_SKUS, HOT_SKUS = 10_000, 10
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
UNTIL_PREPARED = 3  # after so many equal requests nothing is done for the first time


def add_to_cart(stage: Stage) -> Scenario:
    """One more of what is in a guest's cart already."""
    around = stage.surroundings
    numbers = stage.carts.make(ADDED_TO, ADDED_SKUS)
    additions = [
        post(f"{API}/cart/lines", {"variant_id": str(variant)}, {"X-Cart-Token": carts.token(number)})
        for line in range(carts.LINES)
        for number in numbers
        for variant in [carts.variants(number, ADDED_SKUS)[line]]
    ]
    variables = {"first": numbers.start, "last": numbers.stop - 1, "skus": ADDED_SKUS}
    return _same_statements(
        stage,
        stage.writes(around.api, additions),
        _pgbench(stage, "add_to_cart.sql", lambda _: variables),
        iter(additions).__next__,
    )


def checkout_spread(stage: Stage) -> Scenario:
    """A guest orders a cart of three lines; SKUs are as good as never the same."""
    return _checkout(stage, min(SPREAD_SKUS, stage.catalogue.products))


def checkout_hot(stage: Stage) -> Scenario:
    """The same with ten SKUs: everybody waits for everybody's rows of stock."""
    return _checkout(stage, HOT_SKUS)


def _checkout(stage: Stage, skus: int) -> Scenario:
    ready = _ReadyCarts(stage.carts, skus)
    floor = _pgbench(stage, "checkout.sql", ready.variables)
    service = replace(stage.writes(stage.surroundings.api_without_provider, ()), fresh=ready.orders)
    scenario = _same_statements(stage, service, floor, iter(ready.orders(0)).__next__)
    trial = floor.run(ready.block(TRIAL), f"--client={WRITERS}", f"--transactions={TRIAL}")
    ready.a_second = max(FEW, SPARE * transactions_per_second(trial))
    return scenario


@dataclass(slots=True)
class _ReadyCarts:
    """Carts that wait to be ordered, made for each measurement: a cart can be ordered once."""

    carts: carts.Carts
    skus: int
    a_second: float = 0

    def orders(self, seconds: float) -> list[str]:
        """Requests to the service."""
        return [_order(number) for number in self.carts.make(math.ceil(seconds * self.a_second) + WRITERS, self.skus)]

    def variables(self, seconds: float) -> dict[str, int]:
        """What tells pgbench about as many carts."""
        return self.block(math.ceil(seconds * self.a_second / WRITERS) + 1)

    def block(self, size: int) -> dict[str, int]:
        """The same for so many of each client."""
        return {"first": self.carts.make(WRITERS * size, self.skus).start, "block": size, "n": 0, "skus": self.skus}


def _order(cart: int) -> str:
    headers = {"X-Cart-Token": carts.token(cart), "Idempotency-Key": f"bench-{cart}"}
    return post(f"{API}/orders", {"email": EMAIL, "shipping_address": ADDRESS}, headers)


def _pgbench(stage: Stage, script: str, variables: Callable[[float], Mapping[str, int]]) -> PgbenchSide:
    return PgbenchSide(stage.surroundings.postgres, SCRIPTS / script, WRITERS, variables)


def _same_statements(stage: Stage, service: HttpSide, floor: PgbenchSide, next_request: Callable[[], str]) -> Scenario:
    """Both sides, once one request to the service and one run of the script have run the same statements."""
    postgres = stage.surroundings.postgres
    for _ in range(UNTIL_PREPARED):
        send(service.server, next_request())
    asked = captured(postgres, lambda: send(service.server, next_request()))
    prepared = floor.variables(0)
    must_be_alike(asked, captured(postgres, lambda: floor.run(prepared, "--client=1", "--transactions=1")))
    return Scenario(service, floor)
