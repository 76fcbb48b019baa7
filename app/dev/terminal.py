"""What `shop dev` says to the person in front of it."""

import re

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.dev.surroundings import Ports

DEMO_PASSWORD = "emporium-demo"  # noqa: S105  # printed on purpose: it opens nothing but a development shop
DEMO_ACCOUNTS = ("admin", "support", "catalog", "warehouse", "analyst", "customer")
TROUBLE = re.compile(r"\b(ERROR|CRITICAL)\b|\[(error|critical) *\]|\"level\": ?\"(error|critical)\"|^Traceback")
NAME_WIDTH = 8

console = Console(highlight=False)


def say(message: str, style: str = "") -> None:
    """One line from the supervisor itself."""
    console.print(Text(f"{'shop':<{NAME_WIDTH}} │ {message}", style=style), soft_wrap=True)


def echo(name: str, colour: str, line: str) -> None:
    """One line that a process wrote, behind its name; its own colours are kept."""
    console.print(Text(f"{name:<{NAME_WIDTH}} │ ", style=colour) + Text.from_ansi(line), soft_wrap=True)


def refuse(message: str) -> None:
    """Why the shop does not run."""
    console.print(Panel(Text(message), title="The shop cannot run", border_style="red", title_align="left"))


def banner(ports: Ports, seconds: float) -> None:
    """The one place that says where everything is."""
    shop, sandbox = f"http://localhost:{ports.api}", f"http://localhost:{ports.sandbox}"
    table = Table.grid(padding=(0, 2))
    for name, address in (
        ("Shop", shop),
        ("Swagger UI", f"{shop}/docs"),
        ("ReDoc", f"{shop}/redoc"),
        ("Mailbox", f"{sandbox}/mailbox"),
        ("Metrics", f"{shop}/metrics"),
        ("Health", f"{shop}/health/ready"),
    ):
        table.add_row(Text(name, style="bold"), Text(address, style="cyan"))
    table.add_row()
    accounts = "\n".join(f"{name}@example.com" for name in DEMO_ACCOUNTS)
    table.add_row(Text("Sign in as", style="bold"), Text(accounts, style="green"))
    table.add_row(Text("Password", style="bold"), Text(DEMO_PASSWORD, style="green"))
    title = f"Emporium is open (after {seconds:.1f} s). Ctrl-C closes it."
    console.print(Panel(table, title=title, border_style="green", title_align="left", expand=False))
