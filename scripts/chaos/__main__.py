"""`make chaos`: faults of every kind against a running shop while customers buy; fails when it costs them anything."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import httpx
import typer
from rich.console import Console

from app.dev.embedded import EmbeddedServerError
from scripts.chaos import broken_database, broken_limits, broken_outside, broken_processes, broken_redis
from scripts.chaos.customers import Doors
from scripts.chaos.faults import Fault
from scripts.chaos.mailbox import Mailbox
from scripts.chaos.programs import CannotGoOn
from scripts.chaos.report import table_of, tell
from scripts.chaos.rounds import Chaos, Outcome
from scripts.chaos.stock import fill_the_shelves
from scripts.chaos.surroundings import ChaosShop, running_shop

FAULTS: tuple[Fault, ...] = (
    *broken_redis.FAULTS,
    *broken_database.FAULTS,
    *broken_outside.FAULTS,
    *broken_limits.FAULTS,
    *broken_processes.FAULTS,
)
ROUNDS = 20
WIDTH = 140  # of what is not a terminal, such as the log of a workflow

program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@program.command()
def chaos(
    only: Annotated[list[str] | None, typer.Option(help="A fault, or the beginning of some; may be repeated.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, envvar="ROUNDS", help="Of each fault.")] = None,
) -> None:
    """Break a shop in every way it is to survive; the exit code is 1 when it did not."""
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=WIDTH)
    chosen = [fault for fault in FAULTS if fault.name.startswith(tuple(only or [""]))]
    if not chosen:
        console.print(f"There is no such fault. There are {', '.join(fault.name for fault in FAULTS)}.")
        sys.exit(2)
    try:
        console.print("[dim]starting a shop to break …")
        with running_shop() as shop, opened(shop) as run:
            outcomes = list(play(run, shop, chosen, rounds, console))
    except (CannotGoOn, EmbeddedServerError, httpx.HTTPError) as error:
        console.print(f"[red]The chaos cannot go on: {error or type(error).__name__}")
        sys.exit(2)
    console.print(table_of(outcomes))
    sys.exit(0 if all(outcome.held for outcome in outcomes) else 1)


@contextmanager
def opened(shop: ChaosShop) -> Iterator[Chaos]:
    """Customers at the doors, and somebody at the mailbox."""
    mailbox = Mailbox(shop.sandbox.url)
    doors = Doors.of([api.url for api in shop.apis], fill_the_shelves(shop))
    watching = shop.background.start(mailbox.watch())
    try:
        yield Chaos(shop, doors, mailbox)
    finally:
        watching.cancel()
        shop.background.run(doors.close())


def play(
    run: Chaos, shop: ChaosShop, faults: Sequence[Fault], rounds: int | None, console: Console
) -> Iterator[Outcome]:
    """One fault after the other, each told as soon as it is over."""
    for fault in faults:
        if fault.needs_small_media and not shop.media_is_small:
            console.print(f"[yellow]left out[/yellow] {fault.title}: only root can mount a small file system for it")
            continue
        outcome = run.play(fault, rounds or fault.rounds or ROUNDS)
        tell(outcome, console)
        yield outcome


if __name__ == "__main__":
    program()
