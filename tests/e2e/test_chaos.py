"""A slice of `make chaos`: its own shop, a few faults, a few rounds."""

from collections.abc import Iterator

import pytest

from scripts.chaos.__main__ import FAULTS, opened
from scripts.chaos.faults import Fault
from scripts.chaos.figures import Figures, Told
from scripts.chaos.ledger import Books
from scripts.chaos.rounds import Chaos, Outcome
from scripts.chaos.surroundings import running_shop

SLICE = {"redis-refused": 2, "database-crash": 1, "kill9": 1}


@pytest.fixture(scope="module")
def chaos() -> Iterator[Chaos]:
    with running_shop() as shop, opened(shop) as run:
        yield run


def named(name: str) -> Fault:
    (fault,) = (fault for fault in FAULTS if fault.name == name)
    return fault


@pytest.mark.parametrize("name", SLICE)
def test_nobody_pays_for_it(chaos: Chaos, name: str) -> None:
    outcome = chaos.play(named(name), SLICE[name])

    assert outcome.books.lost == outcome.books.duplicated == outcome.books.drift == []
    assert outcome.figures.wrong + outcome.figures.given_up == {}
    assert len(outcome.recoveries) == SLICE[name]


def test_whatever_should_not_be_is_noticed() -> None:
    def outcome() -> Outcome:
        return Outcome(named("pool"), Figures(Told(), frozenset()))

    wrong, hung, given_up = outcome(), outcome(), outcome()
    wrong.figures.wrong["order: 500 internal_error"] += 1
    hung.figures.waited("order", 5.1)
    given_up.figures.given_up["order"] += 1
    lost, twice, drift = outcome(), outcome(), outcome()
    lost.books, twice.books, drift.books = (
        Books(lost=["an order"]),
        Books(duplicated=["a mail"]),
        Books(drift=["a mug"]),
    )

    assert outcome().held
    assert not any(each.held for each in (wrong, hung, given_up, lost, twice, drift))
