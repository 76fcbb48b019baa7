"""The same results for eyes, for machines and for the guide."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.comparison import Comparison
from bench.goals import GOALS

GENERATOR_IS_THE_LIMIT = 0.95
COLUMNS = (
    *("scenario", "floor", "ratio", "spread", "goal", "met"),
    *("req/s", "floor's req/s", "CPU µs", "floor's CPU µs", "failed"),
)


def as_data(
    comparisons: Sequence[Comparison], machine: dict[str, Any], versions: dict[str, str], setup: dict[str, int]
) -> dict[str, Any]:
    """`results.json`: rates are a second's, `cpu_us` is the server process's time for a request."""
    return {
        "machine": machine,
        "versions": versions,
        "setup": setup,
        "results": [
            {
                "scenario": one.scenario,
                "floor": one.goal.floor.value,
                "ratio": round(one.ratio, 3),
                "spread": [round(bound, 3) for bound in one.spread],
                "cpu_us": _rounded(one.service.cpu_us),
                "goal": one.goal.bound,
                "met": one.met,
                "aim": one.goal.aim,
                "rate": round(one.service.rate, 1),
                "floor_rate": round(one.floor.rate, 1),
                "floor_cpu_us": _rounded(one.floor.cpu_us),
                "failed": one.failed,
                "generator_bound": is_generator_bound(one),
            }
            for one in comparisons
        ],
        "not_measured": [name for name in GOALS if name not in {one.scenario for one in comparisons}],
    }


def is_generator_bound(one: Comparison) -> bool:
    """Whether a side was faster than the generator could ask: then the ratio flatters whoever is slower."""
    loads = (one.service.generator_load, one.floor.generator_load)
    return any(load is not None and load > GENERATOR_IS_THE_LIMIT for load in loads)


def table(comparisons: Sequence[Comparison]) -> Table:
    shown = Table(title="Ratios to the floor: medians of rounds that ran side by side")
    for column in COLUMNS:
        shown.add_column(column, justify="left" if column in ("scenario", "floor", "goal", "met") else "right")
    for one in comparisons:
        shown.add_row(*_cells(one), style=None if one.met else "yellow")
    return shown


def markdown(comparisons: Sequence[Comparison], data: dict[str, Any]) -> str:
    lines = [
        "# Results of the bench",
        "",
        "Written by `make bench`; what the columns mean is in [README.md](README.md).",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(_cells(one)) + " |" for one in comparisons),
        "",
        "Not measured yet: " + ", ".join(data["not_measured"]) + ".",
        "",
        *(f"- {name}: " + _listed(data[name]) for name in ("setup", "machine", "versions")),
    ]
    return "\n".join(lines) + "\n"


def write(directory: Path, comparisons: Sequence[Comparison], data: dict[str, Any]) -> None:
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
        "yes" if one.met else "no",
        f"{one.service.rate:,.0f}",
        f"{one.floor.rate:,.0f}",
        _whole(one.service.cpu_us),
        _whole(one.floor.cpu_us),
        f"{one.failed:,}",
    )


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _listed(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
