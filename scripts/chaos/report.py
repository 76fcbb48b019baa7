"""What `make chaos` prints."""

from statistics import median

from rich.console import Console
from rich.table import Table

from scripts.chaos.rounds import Outcome

COLUMNS = [
    "fault",
    "rounds",
    "requests",
    "503",
    "wrong",
    "cut",
    "hung",
    "slowest",
    "lost",
    "twice",
    "drift",
    "recovery",
    "settled",
]
MOST_SHOWN = 5


def tell(outcome: Outcome, console: Console) -> None:
    """One line as soon as it is over, and below it what should not be."""
    verdict = "[green]held[/green]  " if outcome.held else "[red]BROKEN[/red]"
    console.print(
        f"{verdict} {outcome.fault.title}: {len(outcome.recoveries)} rounds, {outcome.figures.sent} requests, "
        f"{outcome.seconds:.0f} s",
        soft_wrap=True,
    )
    figures, books = outcome.figures, outcome.books
    wrong = [f"{number} x {what}" for what, number in figures.wrong.most_common()]
    wrong += [f"{number} x hung: {step}" for step, number in figures.hung.most_common()]
    wrong += [f"{number} x gave up: {step}" for step, number in figures.given_up.most_common()]
    for kind, found in (("", wrong), ("lost", books.lost), ("twice", books.duplicated), ("drift", books.drift)):
        for what in found[:MOST_SHOWN]:
            console.print(f"         {kind} {what}", markup=False, soft_wrap=True)
        if len(found) > MOST_SHOWN:
            console.print(f"         and {len(found) - MOST_SHOWN} more")


def table_of(outcomes: list[Outcome]) -> Table:
    """All figures. Times are seconds: the slowest answer; until a new customer had bought (median, longest); until
    the books were closed."""
    table = Table(*COLUMNS, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for outcome in outcomes:
        figures, books, recoveries = outcome.figures, outcome.books, outcome.recoveries
        table.add_row(
            outcome.fault.name,
            str(len(recoveries)),
            str(figures.sent),
            str(figures.unavailable.total()),
            str(figures.wrong.total()),
            str(figures.cut),
            str(figures.hung.total()),
            f"{figures.slowest:.2f}",
            str(len(books.lost) + figures.given_up.total()),
            str(len(books.duplicated)),
            str(len(books.drift)),
            f"{median(recoveries):.2f} / {max(recoveries):.2f}" if recoveries else "-",
            f"{books.settled_after:.1f}",
        )
    return table
