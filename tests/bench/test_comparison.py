"""Rounds become ratios, ratios become a verdict."""

import json

import pytest

from bench.comparison import Comparison, Measured, Round
from bench.goals import GOALS, Figure, Floor, Goal
from bench.report import as_data, markdown


def rounds(*rates: tuple[float, float]) -> list[Round]:
    return [Round(Measured(service, cpu_us=1e6 / service), Measured(floor)) for service, floor in rates]


def test_the_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_medians() -> None:
    compared = Comparison("uncached_list", rounds((10, 10), (90, 100), (400, 1000)))

    assert compared.ratio == 0.9
    assert compared.spread == (0.4, 1.0)
    assert compared.service.rate / compared.floor.rate == 0.9
    assert Comparison("uncached_list", rounds((10, 10), (20, 100), (300, 1000))).ratio == 0.3


def test_a_ratio_is_made_of_the_figure_that_the_goal_names() -> None:
    storm = Comparison("signin_storm", [Round(Measured(50, p99_ms=30), Measured(100, p99_ms=20))])
    memory = Comparison("memory", [Round(Measured(50, rss_mb=110), Measured(100, rss_mb=100))])

    assert (storm.ratio, memory.ratio) == (1.5, 1.1)
    assert (storm.met, memory.met) == (True, True)
    with pytest.raises(ValueError, match="rss_mb"):
        Measured(50, p99_ms=30).value(Figure.MEMORY)


def test_figures_that_a_side_does_not_have_stay_unknown() -> None:
    compared = Comparison("add_to_cart", rounds((100, 1000), (50, 1000), (200, 1000)))

    assert compared.service.cpu_us == 10_000
    assert compared.floor.cpu_us is None


@pytest.mark.parametrize(("ratio", "met"), [(0.89, False), (0.9, True), (2.0, True)])
def test_a_goal_is_a_lower_bound(ratio: float, met: bool) -> None:
    assert Goal(Floor.DRIVER, bound=0.9, aim=1.3).is_met_by(ratio) is met


@pytest.mark.parametrize(("ratio", "met"), [(1.0, True), (3.0, True), (3.1, False)])
def test_a_goal_may_be_an_upper_bound(ratio: float, met: bool) -> None:
    assert Goal(Floor.ITSELF, bound=3, aim=2, at_most=True).is_met_by(ratio) is met


@pytest.mark.parametrize("goal", GOALS.values(), ids=GOALS)
def test_what_is_aimed_for_lies_beyond_the_bound(goal: Goal) -> None:
    assert goal.is_met_by(goal.aim)


def test_the_report_says_what_was_missed_and_what_was_not_measured() -> None:
    compared = [Comparison("uncached_list", rounds((20, 100))), Comparison("signin", rounds((80, 100)))]

    data = as_data(compared, {"cores": 2}, {"python": "3.14"}, {"rounds": 1})
    shown = markdown(compared, data)

    assert [(result["scenario"], result["ratio"], result["met"]) for result in data["results"]] == [
        ("uncached_list", 0.2, False),
        ("signin", 0.8, True),
    ]
    assert (
        data["results"][0] | {"floor": "b", "spread": [0.2, 0.2], "goal": 0.9, "cpu_us": 50_000} == data["results"][0]
    )
    assert "deep_page" in data["not_measured"]
    assert "signin" not in data["not_measured"]
    assert json.loads(json.dumps(data)) == data
    assert "| uncached_list | b | 0.20 | 0.20 to 0.20 | ≥ 0.90 | 1.30 | no | 20/s | 100/s | 50,000 |" in shown
    assert "Not measured in this run: cached_list, " in shown


def test_a_complete_report_says_nothing_of_what_was_not_measured() -> None:
    compared = [
        Comparison(name, [Round(Measured(1, p99_ms=1, rss_mb=1), Measured(1, p99_ms=1, rss_mb=1))]) for name in GOALS
    ]

    assert "Not measured" not in markdown(compared, as_data(compared, {}, {}, {}))


def test_speed_with_failures_meets_no_goal() -> None:
    fast = Comparison("uncached_list", [Round(Measured(200, failed=1), Measured(100))])

    assert fast.ratio == 2
    assert not fast.met
    assert Comparison("uncached_list", rounds((200, 100))).met


def test_a_ratio_that_the_generator_decided_is_marked() -> None:
    flattered = Round(Measured(100, generator_load=0.5), Measured(200, generator_load=0.99))

    data = as_data([Comparison("cached_list", [flattered])], {}, {}, {})

    assert data["results"][0]["generator_bound"]
