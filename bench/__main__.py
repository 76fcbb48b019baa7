"""`make bench`: start everything, measure every scenario beside its floor, write down the ratios."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from app.dev.embedded import EmbeddedServerError
from bench.comparison import Comparison, Round
from bench.data import prepare
from bench.load import LoadFailed
from bench.machine import describe_machine, describe_versions
from bench.profiling import CannotProfile, record, tables
from bench.report import as_data, table, write
from bench.scenarios import Scenario, scenarios
from bench.sides import HttpSide
from bench.surroundings import CannotMeasure, surroundings

HERE = Path(__file__).parent
TABLE_WIDTH = 130
FAILURES = (CannotMeasure, CannotProfile, EmbeddedServerError, LoadFailed)

program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def measure(chosen: list[Scenario], rounds: int, seconds: int, console: Console) -> list[Comparison]:
    """All scenarios in turns, round by round; who of the two sides goes first alternates."""
    measured: dict[str, list[Round]] = {scenario.name: [] for scenario in chosen}
    for scenario in chosen:
        scenario.service.measure(seconds)  # connections, prepared statements, caches: unmeasured
        scenario.floor.measure(seconds)
    for number in range(rounds):
        for scenario in chosen:
            console.print(f"[dim]round {number + 1} of {rounds}: {scenario.name}")
            if number % 2:
                floor = scenario.floor.measure(seconds)
                service = scenario.service.measure(seconds)
            else:
                service = scenario.service.measure(seconds)
                floor = scenario.floor.measure(seconds)
            if floor.failed:
                raise CannotMeasure(f"{scenario.name}: the floor itself failed {floor.failed} times")
            measured[scenario.name].append(Round(service, floor))
    return [Comparison(name, done) for name, done in measured.items()]


@program.command()
def run(
    products: Annotated[int, typer.Option(min=1_000, max=100_000, help="The size of the catalogue.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each scenario is measured.")] = 5,
    seconds: Annotated[int, typer.Option(min=1, help="How long each side runs in a round.")] = 3,
    only: Annotated[list[str] | None, typer.Option(help="A scenario, by name; may be repeated.")] = None,
    save: Annotated[bool, typer.Option(help="Write bench/results.json and bench/results.md.")] = True,
) -> None:
    """Measure the service against floors that run beside it."""
    console, machine = _console(), describe_machine()
    console.print(f"[dim]starting a shop with {products:,} products")
    try:
        with surroundings(products) as around:
            data = asyncio.run(prepare(around.database_url))
            with scenarios(around, data) as known:
                chosen = [scenario for scenario in known if not only or scenario.name in only]
                comparisons = measure(chosen, rounds, seconds, console)
            versions = describe_versions(around.postgres)
    except FAILURES as failure:
        _give_up(console, failure)
    console.print(table(comparisons))
    if save:
        setup = {"products": products, "rounds": rounds, "seconds": seconds}
        write(HERE, comparisons, as_data(comparisons, machine, versions, setup))


@program.command()
def profile(
    scenario: Annotated[str, typer.Argument(help="The scenario whose load the service is under.")],
    products: Annotated[int, typer.Option(min=1_000, max=100_000, help="The size of the catalogue.")] = 10_000,
    seconds: Annotated[int, typer.Option(min=1, help="How long to record.")] = 10,
) -> None:
    """Record where the service spends its time: a flame graph, and collapsed stacks beside it."""
    console, directory = _console(), HERE / "profiles"
    directory.mkdir(exist_ok=True)
    svg, stacks = directory / f"{scenario}.svg", directory / f"{scenario}.txt"
    console.print(f"[dim]starting a shop with {products:,} products")
    try:
        with surroundings(products, observable=True) as around:
            data = asyncio.run(prepare(around.database_url))
            with scenarios(around, data) as known:
                side = next((each.service for each in known if each.name == scenario), None)
                if not isinstance(side, HttpSide):
                    raise CannotMeasure(f"There is no scenario {scenario} to profile.")
                recorded = record(side, seconds, svg, stacks)
    except FAILURES as failure:
        _give_up(console, failure)
    console.print(*tables(recorded))
    console.print(f"{svg.relative_to(Path.cwd())} (open it in a browser), {stacks.relative_to(Path.cwd())}")


def _console() -> Console:
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)  # a file or a pipe has no width of its own
    return console


def _give_up(console: Console, failure: Exception) -> NoReturn:
    console.print(f"{type(failure).__name__}: {failure}", markup=False, style="red")
    sys.exit(1)


if __name__ == "__main__":
    program()
