"""What each scenario is held to. Every number is a ratio, because absolute ones do not travel between machines."""

from dataclasses import dataclass
from enum import StrEnum


class Floor(StrEnum):
    """What a scenario is compared with."""

    BYTES = "a"  # a bare ASGI application under the same uvicorn that sends the same bytes
    DRIVER = "b"  # a bare ASGI handler with asyncpg's default pool, one query per collection, and orjson
    PGBENCH = "c"  # pgbench running the same SQL
    HASHING = "hash"  # the same password hasher on the same core, and nothing else
    TEXTBOOK = "textbook"  # the same endpoint as a FastAPI and ORM textbook writes it
    ITSELF = "itself"  # the service doing less


class Figure(StrEnum):
    """What a ratio is made of: a field of `Measured`."""

    RATE = "rate"
    P99 = "p99_ms"
    MEMORY = "rss_mb"


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the ratio and what to aim for. `at_most` turns both around: the smaller the better."""

    floor: Floor
    bound: float
    aim: float
    at_most: bool = False
    figure: Figure = Figure.RATE

    def is_met_by(self, ratio: float) -> bool:
        return ratio <= self.bound if self.at_most else ratio >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:.2f}"


GOALS = {
    "cached_list": Goal(Floor.BYTES, 0.50, 0.70),
    "cached_detail": Goal(Floor.BYTES, 0.50, 0.70),
    "cached_304": Goal(Floor.BYTES, 0.55, 0.80),
    "uncached_detail": Goal(Floor.DRIVER, 1.3, 3.0),
    "uncached_list": Goal(Floor.DRIVER, 0.9, 1.3),
    "search_facets": Goal(Floor.DRIVER, 0.65, 0.80),
    "deep_page": Goal(Floor.ITSELF, 0.90, 1.0),
    "authenticated_read": Goal(Floor.ITSELF, 0.70, 0.85),
    "add_to_cart": Goal(Floor.PGBENCH, 0.25, 0.45),
    "checkout_spread": Goal(Floor.PGBENCH, 0.20, 0.50),
    "checkout_hot": Goal(Floor.PGBENCH, 0.40, 0.85),
    "signin": Goal(Floor.HASHING, 0.70, 0.85),
    "signin_storm": Goal(Floor.ITSELF, 3, 2, at_most=True, figure=Figure.P99),
    "textbook_list": Goal(Floor.TEXTBOOK, 6, 10),
    "textbook_detail": Goal(Floor.TEXTBOOK, 10, 25),
    "memory": Goal(Floor.ITSELF, 1.10, 1.02, at_most=True, figure=Figure.MEMORY),
}
