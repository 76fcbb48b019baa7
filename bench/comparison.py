"""From rounds to one honest number: the median of the ratios of rounds that ran side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.goals import GOALS, Figure, Goal


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one side: good answers a second, and how many were not.

    `cpu_us` is the server process's processor time per request, `p99_ms` the time that 99 of 100 good answers took at
    most, and `rss_mb` the server process's memory afterwards; each where there is one.
    """

    rate: float
    cpu_us: float | None = None
    p99_ms: float | None = None
    rss_mb: float | None = None
    failed: int = 0
    generator_load: float | None = None
    """The share of a core that the load generator used; near 1 it was the limit, and the rate says nothing."""

    def value(self, figure: Figure) -> float:
        value: float | None = getattr(self, figure)
        if value is None:
            raise ValueError(f"nothing was measured as {figure}")
        return value


@dataclass(frozen=True, slots=True)
class Round:
    """The service and its floor, one right after the other: what disturbs one disturbs both."""

    service: Measured
    floor: Measured

    def ratio(self, figure: Figure) -> float:
        return self.service.value(figure) / self.floor.value(figure)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scenario's rounds and what they come to."""

    scenario: str
    rounds: Sequence[Round]

    @property
    def goal(self) -> Goal:
        return GOALS[self.scenario]

    @property
    def ratios(self) -> list[float]:
        return [one.ratio(self.goal.figure) for one in self.rounds]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest ratio of any round."""
        return min(self.ratios), max(self.ratios)

    @property
    def failed(self) -> int:
        """Answers of the service, over all rounds, that were refusals or errors."""
        return sum(one.service.failed for one in self.rounds)

    @property
    def met(self) -> bool:
        """Speed counts only without failures."""
        return self.goal.is_met_by(self.ratio) and not self.failed

    @property
    def service(self) -> Measured:
        return _middle([one.service for one in self.rounds])

    @property
    def floor(self) -> Measured:
        return _middle([one.floor for one in self.rounds])


def _middle(measured: Sequence[Measured]) -> Measured:
    """Each figure's median; None where a side does not have it."""
    return Measured(
        rate=median(one.rate for one in measured),
        cpu_us=_median_of([one.cpu_us for one in measured]),
        p99_ms=_median_of([one.p99_ms for one in measured]),
        rss_mb=_median_of([one.rss_mb for one in measured]),
        generator_load=_median_of([one.generator_load for one in measured]),
    )


def _median_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
