"""Who is measured when, and which floors are no floors."""

from dataclasses import dataclass, field

import pytest

from bench.comparison import Measured
from bench.processes import CannotMeasure
from bench.rounds import measure
from bench.scenarios import Scenario


@dataclass
class Noted:
    """A side that writes down when it was measured."""

    name: str
    notes: list[str]
    result: Measured = field(default_factory=lambda: Measured(10, p99_ms=1, rss_mb=1))

    def measure(self, seconds: float) -> Measured:
        self.notes.append(f"{self.name} {seconds}")
        return self.result


def test_sides_take_turns_in_going_first() -> None:
    notes: list[str] = []
    scenario = Scenario(Noted("service", notes), Noted("floor", notes))

    [compared] = measure({"cached_list": scenario}, rounds=2, seconds=2, notice=lambda _: None)

    assert notes == ["service 1.0", "floor 1.0", "service 2", "floor 2", "floor 2", "service 2"]
    assert len(compared.rounds) == 2
    assert compared.ratio == 1


def test_what_happens_once_comes_last_and_cold_and_its_floor_first() -> None:
    notes: list[str] = []
    once = Scenario(Noted("memory", notes), Noted("its floor", notes), once=True)
    repeated = Scenario(Noted("service", notes), Noted("floor", notes))

    compared = measure({"memory": once, "cached_list": repeated}, rounds=1, seconds=2, notice=lambda _: None)

    assert notes[-2:] == ["its floor 2", "memory 2"]
    assert len(notes) == 6
    assert {one.scenario: len(one.rounds) for one in compared} == {"memory": 1, "cached_list": 1}


@pytest.mark.parametrize("floor", [Measured(10, failed=1), Measured(0)])
def test_a_floor_that_fails_or_stands_still_is_none(floor: Measured) -> None:
    scenario = Scenario(Noted("service", []), Noted("floor", [], floor))

    with pytest.raises(CannotMeasure, match="cached_list"):
        measure({"cached_list": scenario}, rounds=1, seconds=2, notice=lambda _: None)
