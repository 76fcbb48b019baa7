"""`make attack`: every attack of the list in SECURITY.md, against a shop of its own or the one at SHOP_URL."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

import httpx
import typer
from rich.console import Console

from app.dev.embedded import EmbeddedServerError
from scripts.attack import authority, browsers, guessing, outward, payloads, pictures, sessions, tampering, tokens, wire
from scripts.attack.attempts import Attempt, Family
from scripts.attack.surroundings import RunningShop, running_shop
from scripts.attack.target import CannotAttack, Target

FAMILIES: dict[str, tuple[Family, ...]] = {
    "tokens": (tokens.forged_tokens,),
    "sessions": (sessions.sessions,),
    "authority": (authority.other_peoples_things, authority.functions, authority.mass_assignment),
    "tampering": (tampering.cursors, tampering.webhooks),
    "wire": (wire.smuggling, wire.slow_clients, wire.hosts, wire.redirects_and_line_breaks),
    "browsers": (browsers.cross_origin,),
    "payloads": (payloads.regular_expressions, payloads.bodies, payloads.numbers, payloads.at_once),
    "pictures": (pictures.pictures,),
    "outward": (outward.server_side_requests,),
    "guessing": (guessing.enumeration, guessing.brute_force),
}
MOST_SHOWN = 5

program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@program.command()
def attack(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(FAMILIES)}; may be repeated.")] = None,
    url: Annotated[
        str | None, typer.Option(envvar="SHOP_URL", help="A demo shop that runs; else one is started.")
    ] = None,
    sandbox: Annotated[str | None, typer.Option(envvar="SANDBOX_URL", help="Its sandbox, for mails.")] = None,
) -> None:
    """Attack a shop; the exit code is 1 when something gets through."""
    console = Console(highlight=False)
    try:
        chosen = {name: FAMILIES[name] for name in only or FAMILIES}
        with ExitStack() as stack:
            if url:
                limited = () if os.environ.get("RATE_LIMIT_ENABLED") == "false" else (url,)
                shop = RunningShop(url.rstrip("/"), limited, sandbox or "")
            else:
                console.print("[dim]starting a shop to attack …")
                shop = stack.enter_context(running_shop())
            attempts = asyncio.run(assault(shop, list(chosen.values()), console))
    except KeyError as unknown:
        console.print(f"There is no family {unknown}: {', '.join(FAMILIES)}.")
        sys.exit(2)
    except (CannotAttack, EmbeddedServerError, httpx.TransportError) as error:
        console.print(f"[red]The attack cannot go on: {error or type(error).__name__}", markup=True)
        sys.exit(2)
    through = sum(len(attempt.through) for attempt in attempts)
    tries = sum(attempt.tries for attempt in attempts)
    console.print(f"{tries} tries in {len(attempts)} groups, {through} got through.")
    sys.exit(1 if through else 0)


async def assault(shop: RunningShop, families: Sequence[Sequence[Family]], console: Console) -> list[Attempt]:
    """All attempts of these families, each told as soon as it is over."""
    attempts = []
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=shop.url, timeout=60, limits=limits) as client:
        document = (await client.get("/openapi.json")).json()
        target = Target(shop.url, shop.limited, shop.sandbox_url or None, client, document)
        for family in (each for families_ in families for each in families_):
            for attempt in await family(target):
                attempts.append(attempt)
                tell(attempt, console)
    return attempts


def tell(attempt: Attempt, console: Console) -> None:
    """One line: what was tried, how often, and what was answered; what got through below it."""
    answers = ", ".join(f"{count} x {said}" for said, count in attempt.answers.most_common())
    verdict = "[red]THROUGH[/red]" if attempt.through else "[green]held[/green]   "
    notes = f" ({'; '.join(attempt.notes)})" if attempt.notes else ""
    console.print(
        f"{verdict} {attempt.row:<4} {attempt.title}: {attempt.tries} tries: {answers}{notes}", soft_wrap=True
    )
    for what in attempt.through[:MOST_SHOWN]:
        console.print(f"          got through: {what!r}", markup=False, soft_wrap=True)
    if len(attempt.through) > MOST_SHOWN:
        console.print(f"          and {len(attempt.through) - MOST_SHOWN} more")


if __name__ == "__main__":
    program()
