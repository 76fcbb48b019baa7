"""The same results for eyes, for machines and for the guide."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.comparison import Comparison, Measured
from bench.goals import GOALS, Figure

GENERATOR_IS_THE_LIMIT = 0.95
COLUMNS = (
    *("scenario", "floor", "ratio", "spread", "goal", "aim", "met"),
    *("service", "its floor", "CPU µs", "floor's CPU µs", "p99 ms", "failed"),
)
WORDS = {"scenario", "floor", "goal", "aim", "met"}
UNITS = {Figure.RATE: "/s", Figure.P99: " ms p99", Figure.MEMORY: " MB"}


def as_data(
    comparisons: Sequence[Comparison],
    machine: Mapping[str, object],
    versions: Mapping[str, str],
    setup: Mapping[str, float],
) -> dict[str, Any]:
    """`results.json`, as the README explains it."""
    return {
        "machine": machine,
        "versions": versions,
        "setup": setup,
        "results": [_result(one) for one in comparisons],
        "not_measured": [name for name in GOALS if name not in {one.scenario for one in comparisons}],
    }


def _result(one: Comparison) -> dict[str, Any]:
    return {
        "scenario": one.scenario,
        "floor": one.goal.floor.value,
        "ratio": round(one.ratio, 3),
        "spread": [round(bound, 3) for bound in one.spread],
        "cpu_us": _rounded(one.service.cpu_us),
        "goal": one.goal.bound,
        "met": one.met,
        "aim": one.goal.aim,
        "at_most": one.goal.at_most,
        "figure": one.goal.figure.value,
        "service": _figures(one.service),
        "its_floor": _figures(one.floor),
        "failed": one.failed,
        "generator_bound": is_generator_bound(one),
    }


def _figures(side: Measured) -> dict[str, float | None]:
    return {
        "rate": round(side.rate, 1),
        "cpu_us": _rounded(side.cpu_us),
        "p99_ms": _rounded(side.p99_ms),
        "rss_mb": _rounded(side.rss_mb),
    }


def is_generator_bound(one: Comparison) -> bool:
    """Whether a side was faster than the generator could ask: then the ratio flatters whoever is slower."""
    loads = (one.service.generator_load, one.floor.generator_load)
    return any(load is not None and load > GENERATOR_IS_THE_LIMIT for load in loads)


def table(comparisons: Sequence[Comparison]) -> Table:
    shown = Table(title="Ratios to the floor: medians of rounds that ran side by side")
    for column in COLUMNS:
        shown.add_column(column, justify="left" if column in WORDS else "right")
    for one in comparisons:
        shown.add_row(*_cells(one), style=None if one.met else "yellow")
    return shown


def markdown(comparisons: Sequence[Comparison], data: Mapping[str, Any]) -> str:
    lines = [
        "# Results of the bench",
        "",
        "Written by `make bench`; what the columns mean is in [README.md](README.md).",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(_cells(one)) + " |" for one in comparisons),
        "",
        *(["Not measured in this run: " + ", ".join(data["not_measured"]) + ".", ""] if data["not_measured"] else []),
        *(f"- {name}: " + _listed(data[name]) for name in ("setup", "machine", "versions")),
    ]
    return "\n".join(lines) + "\n"


def write(directory: Path, comparisons: Sequence[Comparison], data: Mapping[str, Any]) -> None:
    (directory / "results.json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    (directory / "results.md").write_text(markdown(comparisons, data))


def _cells(one: Comparison) -> tuple[str, ...]:
    low, high = one.spread
    return (
        one.scenario,
        one.goal.floor.value,
        f"{one.ratio:.2f}" + (" (generator-bound)" if is_generator_bound(one) else ""),
        f"{low:.2f} to {high:.2f}",
        str(one.goal),
        f"{one.goal.aim:.2f}",
        "yes" if one.met else "no",
        _with_unit(one.service, one.goal.figure),
        _with_unit(one.floor, one.goal.figure),
        _whole(one.service.cpu_us),
        _whole(one.floor.cpu_us),
        _whole(one.service.p99_ms),
        f"{one.failed:,}",
    )


def _with_unit(side: Measured, figure: Figure) -> str:
    return f"{side.value(figure):,.0f}{UNITS[figure]}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
