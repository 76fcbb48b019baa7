"""All scenarios in turns, round by round; who of the two sides goes first alternates."""

from collections.abc import Callable, Mapping

from bench.comparison import Comparison, Round
from bench.processes import CannotMeasure
from bench.scenarios import Scenario
from bench.sides import Side

Notice = Callable[[str], None]


def measure(scenarios: Mapping[str, Scenario], rounds: int, seconds: float, notice: Notice) -> list[Comparison]:
    """Measure both sides of each scenario for so many seconds in each round; `notice` hears what comes next.

    Raises:
        CannotMeasure: a floor failed, or did nothing.
    """
    measured: dict[str, list[Round]] = {name: [] for name in scenarios}
    repeated = {name: scenario for name, scenario in scenarios.items() if not scenario.once}
    for name, scenario in repeated.items():
        notice(f"warming up: {name}")
        scenario.service.measure(seconds / 2)  # connections, prepared statements, caches: unmeasured
        scenario.floor.measure(seconds / 2)
    for number in range(rounds):
        for name, scenario in repeated.items():
            notice(f"round {number + 1} of {rounds}: {name}")
            measured[name].append(_round(name, scenario.service, scenario.floor, seconds, floor_first=bool(number % 2)))
    for name, scenario in ((name, each) for name, each in scenarios.items() if each.once):
        notice(f"once: {name}")
        measured[name].append(_round(name, scenario.service, scenario.floor, seconds, floor_first=True))
    return [Comparison(name, done) for name, done in measured.items()]


def _round(name: str, service: Side, floor: Side, seconds: float, *, floor_first: bool) -> Round:
    if floor_first:
        below = floor.measure(seconds)
        above = service.measure(seconds)
    else:
        above = service.measure(seconds)
        below = floor.measure(seconds)
    if below.failed:
        raise CannotMeasure(f"{name}: the floor itself failed {below.failed} times")
    if not below.rate:
        raise CannotMeasure(f"{name}: the floor did nothing in {seconds} s. The machine is busy: take longer rounds.")
    return Round(above, below)
