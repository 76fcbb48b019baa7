"""`make fuzz`: all of Schemathesis' checks, as nobody, as a customer and as an administrator, on a shop of its own."""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from app.dev.embedded import EmbeddedServerError
from scripts.attack.surroundings import RunningShop, running_shop
from scripts.attack.target import CannotAttack
from scripts.fuzz.accounts import open_accounts
from scripts.fuzz.identities import CannotFuzz
from scripts.fuzz.runs import Run, fuzz

LONGEST_ANSWER = "5"  # seconds
WHO = ("anonymous", "customer", "admin")  # in this order: an administrator changes the most

program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@program.command()
def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(WHO)}; may be repeated.")] = None,
    seconds: Annotated[int, typer.Option(min=1, help="For each of them.")] = 165,
    seed: Annotated[int, typer.Option(help="Another one tries other things.")] = 1,
    url: Annotated[
        str | None, typer.Option(envvar="SHOP_URL", help="A demo shop without rate limits; else one is started.")
    ] = None,
    sandbox: Annotated[str | None, typer.Option(envvar="SANDBOX_URL", help="Its sandbox, for mails.")] = None,
    options: Annotated[list[str] | None, typer.Argument(help="Further options of `st run`, behind --.")] = None,
) -> None:
    """Fuzz a shop; the exit code is 1 when something is found."""
    console = Console(highlight=False)
    found = []
    try:
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emporium-fuzz-")))
            if url:
                shop = RunningShop(url.rstrip("/"), (), sandbox or "")
            else:
                console.print("[dim]starting a shop to fuzz …")
                shop = stack.enter_context(running_shop())
            customer, neighbour, admin = open_accounts(shop)
            for run in (Run(), Run(customer, neighbour), Run(admin)):
                if run.name in (only or WHO):
                    console.rule(f"as {run.name}")
                    limits = ("--max-time", str(seconds), "--max-response-time", LONGEST_ANSWER)
                    repeatable = ("--seed", str(seed), "--generation-database", "none")
                    if fuzz(shop.url, run, home, (*limits, *repeatable, *(options or ()))):
                        found.append(run.name)
    except (CannotAttack, CannotFuzz, EmbeddedServerError, httpx.HTTPError) as error:
        console.print(f"[red]The fuzzing cannot go on: {error or type(error).__name__}")
        sys.exit(2)
    console.print(f"Findings as {', '.join(found)}." if found else "No findings.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    program()
