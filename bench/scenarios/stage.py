"""What every scenario is built from."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.carts import Carts
from bench.catalogue import Catalogue
from bench.messages import get
from bench.processes import CannotMeasure, Server
from bench.sides import HttpSide, Side
from bench.surroundings import Surroundings

READERS = 64
WRITERS = 16
COMPARED = 5  # answers of service and floor that are compared before anything is measured


@dataclass(frozen=True, slots=True)
class Scenario:
    """Two sides in comparison. One that happens only `once` is the floor first, unrepeated."""

    service: Side
    floor: Side
    once: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """The shop, what is in it, and how large the part is that has no time limit."""

    surroundings: Surroundings
    catalogue: Catalogue
    carts: Carts
    memory_requests: int

    def reads(self, server: Server, requests: Sequence[str], expected: int = 200) -> HttpSide:
        return HttpSide(server, self.surroundings.cores, READERS, requests, expected)

    def writes(self, server: Server, requests: Sequence[str], expected: int = 201) -> HttpSide:
        return HttpSide(server, self.surroundings.cores, WRITERS, requests, expected)


def get_all(paths: Sequence[str], under: str) -> list[str]:
    return [get(under + path) for path in paths]


def must_equal(service: object, floor: object) -> None:
    """Refuse a floor that does not answer what the service answers.

    Raises:
        CannotMeasure: shows both.
    """
    if service != floor:
        raise CannotMeasure(f"the floor does not do the service's work.\nservice: {service}\nfloor:   {floor}")
