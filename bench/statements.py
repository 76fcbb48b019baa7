"""What PostgreSQL was asked to do, read from its own log, and the same again as a script for pgbench.

So floor c runs what the service runs, by construction: whatever becomes of the service's statements.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from app.dev.embedded import RunningPostgres
from bench.processes import POLL_INTERVAL_S

_ENTRY = re.compile(
    r"^\S+ \S+ \w+ \[\d+\] LOG:  (?:statement|execute [^:]+): (?P<text>.*(?:\n\t.*)*)"
    r"(?:\n\S+ \S+ \w+ \[\d+\] DETAIL:  Parameters: (?P<parameters>.*(?:\n\t.*)*))?",
    re.MULTILINE,
)
_PARAMETER = re.compile(r"\$(\d+) = (?:NULL|'((?:[^']|'')*)')")
_PLACE = re.compile(r"\$(\d+)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOOKS_LIKE_A_VARIABLE = re.compile(r":(?=[^\W\d])")
MADE_BY_PGBENCH = 8  # the kind of rows whose ids the client makes


@dataclass(frozen=True, slots=True)
class Statement:
    """With its parameters by number, as text; None is NULL."""

    text: str
    parameters: Mapping[int, str | None]


def captured(postgres: RunningPostgres, act: Callable[[], object]) -> list[Statement]:
    """The statements that ran while `act` did its work, in their order."""
    log = Path(postgres.run_sql("SHOW data_directory")).parent / "server.log"
    _log_statements(postgres, "all")
    try:
        before = log.stat().st_size
        act()
        with log.open("rb") as file:
            file.seek(before)
            return list(parsed(file.read().decode()))
    finally:
        _log_statements(postgres, "none")


def parsed(log: str) -> Iterator[Statement]:
    """The statements in a piece of the server's log, but for empty ones, which only ask whether it lives."""
    for entry in _ENTRY.finditer(log):
        text, parameters = ((entry[name] or "").replace("\n\t", "\n").strip("; \n") for name in ("text", "parameters"))
        if text:
            found = _PARAMETER.finditer(parameters)
            yield Statement(text, {int(each[1]): each[2] and each[2].replace("''", "'") for each in found})


def script(statements: Sequence[Statement], expressions: Mapping[str, str], since: float) -> str:
    """The statements for pgbench.

    Args:
        expressions: for each text that belongs to this very request, wherever it occurs in a value, the SQL expression
            (of type text) of what belongs to pgbench's own one.
        since: when the request was sent, in seconds since 1970. UUIDs that are younger were made for it, and pgbench
            makes its own.
    """
    expressions = {**expressions, **_made_for_it(statements, since)}
    return "".join(
        _PLACE.sub(lambda place: _expression(each.parameters[int(place[1])], expressions), each.text) + ";\n"  # noqa: B023  # used at once
        for each in statements
    )


def _made_for_it(statements: Sequence[Statement], since: float) -> dict[str, str]:
    values = [value for each in statements for value in each.parameters.values() if value]
    found = dict.fromkeys(uuid for value in values for uuid in _UUID.findall(value))
    young = [
        uuid for uuid in found if UUID(uuid).version == 7 and UUID(uuid).int >> 80 >= since * 1000
    ]  # RFC 9562 §5.7
    return {
        uuid: f"bench.id({MADE_BY_PGBENCH}, 100 * :cart::bigint + {number})::text" for number, uuid in enumerate(young)
    }


def _made_at(uuid: UUID) -> float:
    """Seconds since 1970 (RFC 9562 §5.7)."""
    return (uuid.int >> 80) / 1000


def _expression(value: str | None, expressions: Mapping[str, str]) -> str:
    """The value in SQL, with what belongs to the request in it replaced."""
    if value is None:
        return "NULL"
    pieces = re.split("(" + "|".join(map(re.escape, expressions)) + ")", value) if expressions else [value]
    return (
        "(" + " || ".join(expressions.get(piece) or _literal(piece) for piece in pieces if piece or value == "") + ")"
    )


def _literal(text: str) -> str:
    """A string constant in which pgbench finds no variable: in our texts, a space after a colon changes nothing."""
    return "'" + _LOOKS_LIKE_A_VARIABLE.sub(": ", text).replace("'", "''") + "'"


def _log_statements(postgres: RunningPostgres, which: str) -> None:
    postgres.run_sql(f"ALTER SYSTEM SET log_statement = '{which}'")
    postgres.run_sql("SELECT pg_reload_conf()")
    # A new session has it only after all others have been told; those read it before their next statement.
    while postgres.run_sql("SHOW log_statement") != which:
        time.sleep(POLL_INTERVAL_S)
