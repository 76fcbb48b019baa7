"""What PostgreSQL was asked to do: read from its own log, so that a floor cannot fall behind the service unnoticed."""

import re
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from app.dev.embedded import RunningPostgres
from app.models import Base
from bench.processes import POLL_INTERVAL_S, CannotMeasure

_ENTRY = re.compile(r"^\S+ \S+ \w+ \[\d+\] LOG:  (?:statement|execute [^:]+): (?P<text>.*(?:\n\t.*)*)$", re.MULTILINE)
_WORD = re.compile(r"[a-z_]+", re.IGNORECASE)
_COMMENT_OR_TEXT = re.compile(r"--.*|/\*.*?\*/|'[^']*'")


def captured(postgres: RunningPostgres, act: Callable[[], object]) -> list[str]:
    """The statements that ran while `act` did its work, in their order."""
    log = Path(postgres.run_sql("SHOW data_directory")).parent / "server.log"
    _log_statements(postgres, "all")
    try:
        before = log.stat().st_size
        act()
        with log.open("rb") as file:
            file.seek(before)
            return parsed(file.read().decode())
    finally:
        _log_statements(postgres, "none")


def parsed(log: str) -> list[str]:
    """The statements in a piece of the server's log, without those that do nothing.

    The same one several times in a row is one: a driver sends the rows of an `executemany` all at once.
    """
    texts = (entry["text"].replace("\n\t", "\n").strip("; \n") for entry in _ENTRY.finditer(log))
    return [text for text, _ in groupby(text for text in texts if text)]


def kind(statement: str) -> str:
    """What a statement does to which tables, such as `SELECT carts, cart_lines`: equal however it is written."""
    words = [word.lower() for word in _WORD.findall(_COMMENT_OR_TEXT.sub("", statement))]
    return " ".join([words[0].upper(), ", ".join(sorted({*words} & Base.metadata.tables.keys()))]).strip()


def must_be_alike(service: list[str], floor: list[str]) -> None:
    """Refuse a floor that does not run the service's statements, kind by kind.

    Raises:
        CannotMeasure: shows both, and the service's in full.
    """
    ours, theirs = [kind(statement) for statement in service], [kind(statement) for statement in floor]
    if ours != theirs:
        shown = "\n".join(f"{mine:<60}{its}" for mine, its in _side_by_side(ours, theirs))
        raise CannotMeasure(
            "the floor does not run the statements of the service.\n"
            f"{'service':<60}floor\n{shown}\n\nThe service's are:\n" + ";\n\n".join(service)
        )


def _side_by_side(ours: list[str], theirs: list[str]) -> list[tuple[str, str]]:
    length = max(len(ours), len(theirs))
    return list(zip(ours + [""] * (length - len(ours)), theirs + [""] * (length - len(theirs)), strict=True))


def _log_statements(postgres: RunningPostgres, which: str) -> None:
    postgres.run_sql(f"ALTER SYSTEM SET log_statement = '{which}'")
    postgres.run_sql("SELECT pg_reload_conf()")
    # A new session has it only after all others have been told; those read it before their next statement.
    while postgres.run_sql("SHOW log_statement") != which:
        time.sleep(POLL_INTERVAL_S)
