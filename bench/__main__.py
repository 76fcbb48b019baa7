"""`make bench` and `make profile`: start everything, put it under load, write down what came of it."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.dev.embedded import EmbeddedServerError
from bench.carts import Carts
from bench.catalogue import fill
from bench.load import LoadFailed
from bench.machine import describe_machine, describe_versions
from bench.processes import CannotMeasure
from bench.profiling import CannotProfile, record, tables
from bench.report import as_data, table, write
from bench.rounds import measure
from bench.scenarios import SCENARIOS, Stage
from bench.sides import HttpSide
from bench.surroundings import surroundings

HERE = Path(__file__).parent
TABLE_WIDTH = 150
FAILURES = (CannotMeasure, CannotProfile, EmbeddedServerError, LoadFailed)

Products = Annotated[int, typer.Option(min=1_000, max=1_000_000, help="The size of the catalogue.")]
MemoryRequests = Annotated[int, typer.Option(min=20_000, help="After how many requests memory is looked at.")]

program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@program.command()
def run(
    products: Products = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each scenario is measured.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each side runs in a round.")] = 3,
    memory_requests: MemoryRequests = 1_000_000,
    only: Annotated[list[str] | None, typer.Option(help="A scenario, by name; may be repeated.")] = None,
    save: Annotated[bool, typer.Option(help="Write bench/results.json and bench/results.md.")] = True,
) -> None:
    """Measure the service against floors that run beside it."""
    console, machine = _console(), describe_machine()
    with _failures_in_one_line(console):
        chosen = _known(only or list(SCENARIOS))
        with _stage(console, products, memory_requests) as stage:
            scenarios = {name: SCENARIOS[name](stage) for name in chosen}
            comparisons = measure(scenarios, rounds, seconds, lambda text: console.print(f"[dim]{text}"))
            versions = describe_versions(stage.surroundings.postgres)
    console.print(table(comparisons))
    if save:
        setup = {"products": products, "rounds": rounds, "seconds": seconds, "memory_requests": memory_requests}
        write(HERE, comparisons, as_data(comparisons, machine, versions, setup))


@program.command()
def profile(
    scenario: Annotated[str, typer.Argument(help="The scenario whose load the service is under.")],
    products: Products = 10_000,
    seconds: Annotated[int, typer.Option(min=1, help="How long to record.")] = 10,
) -> None:
    """Record where the service spends its time: a flame graph, and collapsed stacks beside it."""
    console, directory = _console(), HERE / "profiles"
    directory.mkdir(exist_ok=True)
    svg, stacks = directory / f"{scenario}.svg", directory / f"{scenario}.txt"
    with _failures_in_one_line(console):
        (known,) = _known([scenario])
        with _stage(console, products, memory_requests=1_000_000, observable=True) as stage:
            side = SCENARIOS[known](stage).service
            if not isinstance(side, HttpSide):
                raise CannotProfile(f"{scenario} is more than one load; profile what it consists of.")
            recorded = record(side, seconds, svg, stacks)
    for each in tables(recorded):
        console.print(each)
    console.print(f"{svg} (open it in a browser)\n{stacks} (for text, and for speedscope)", markup=False)


@contextmanager
def _stage(console: Console, products: int, memory_requests: int, *, observable: bool = False) -> Iterator[Stage]:
    console.print(f"[dim]starting a shop with {products:,} products")
    with surroundings(observable=observable) as around:
        catalogue = asyncio.run(fill(around.database_url, products))
        yield Stage(around, catalogue, Carts(around.database_url), memory_requests)


@contextmanager
def _failures_in_one_line(console: Console) -> Iterator[None]:
    try:
        yield
    except FAILURES as failure:
        console.print(f"{type(failure).__name__}: {failure}", markup=False, style="red")
        sys.exit(1)


def _known(names: Sequence[str]) -> Sequence[str]:
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise CannotMeasure(f"There is no scenario {', '.join(unknown)}. There are: {', '.join(SCENARIOS)}.")
    return names


def _console() -> Console:
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)  # a file or a pipe has no width of its own
    return console


if __name__ == "__main__":
    program()
