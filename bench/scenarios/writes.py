"""Writes, against pgbench running the same statements (floor c)."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bench import carts
from bench.messages import API, post, send
from bench.scenarios.stage import WRITERS, Scenario, Stage
from bench.sides import HttpSide, PgbenchSide
from bench.statements import captured, must_be_alike

SCRIPTS = Path(__file__).parent.parent / "pgbench"
ADDED_TO = 2_000
ADDED_SKUS = 100
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


def _pgbench(stage: Stage, script: str, variables: Callable[[float], Mapping[str, int]]) -> PgbenchSide:
    return PgbenchSide(stage.surroundings.postgres, SCRIPTS / script, WRITERS, variables)


def _same_statements(stage: Stage, service: HttpSide, floor: PgbenchSide, next_request: Callable[[], str]) -> Scenario:
    """Both sides, once one request to the service and one run of the script have run the same statements."""
    postgres = stage.surroundings.postgres
    for _ in range(UNTIL_PREPARED):
        send(service.server, next_request())
    asked = captured(postgres, lambda: send(service.server, next_request()))
    must_be_alike(asked, captured(postgres, floor.run_once))
    return Scenario(service, floor)
