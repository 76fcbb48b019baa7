"""Statements in the server's log, and when two lists of them do the same."""

import pytest

from bench.processes import CannotMeasure
from bench.statements import kind, must_be_alike, parsed

LOG = """\
2026-11-22 19:28:06.174 UTC [4711] LOG:  statement: BEGIN;
2026-11-22 19:28:06.174 UTC [4711] LOG:  execute __asyncpg_stmt_5__: SELECT carts.id
\tFROM carts
\tWHERE carts.id = $1 FOR UPDATE
2026-11-22 19:28:06.174 UTC [4711] DETAIL:  Parameters: $1 = 'LOG:  execute x: DELETE FROM carts'
2026-11-22 19:28:06.175 UTC [4711] LOG:  execute <unnamed>: ;
2026-11-22 19:28:06.175 UTC [4711] LOG:  execute P0_1: INSERT INTO order_lines VALUES ($1)
2026-11-22 19:28:06.175 UTC [4711] LOG:  execute P0_1: INSERT INTO order_lines VALUES ($1)
2026-11-22 19:28:06.176 UTC [4711] LOG:  checkpoint starting: time
2026-11-22 19:28:06.177 UTC [4711] LOG:  statement: COMMIT;
"""


def test_the_log_tells_what_ran() -> None:
    assert parsed(LOG) == [
        "BEGIN",
        "SELECT carts.id\nFROM carts\nWHERE carts.id = $1 FOR UPDATE",
        "INSERT INTO order_lines VALUES ($1)",
        "COMMIT",
    ]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("BEGIN;", "BEGIN"),
        ("-- DELETE FROM orders\nselect 1", "SELECT"),
        ("SELECT * FROM variants v JOIN products p ON p.id = v.product_id", "SELECT products, variants"),
        ("INSERT INTO outbox VALUES ('orders', 'carts')", "INSERT outbox"),
        ("UPDATE Carts SET version = 2", "UPDATE carts"),
    ],
)
def test_a_kind_is_the_verb_and_the_tables(statement: str, expected: str) -> None:
    assert kind(statement) == expected


def test_other_words_for_the_same_are_alike() -> None:
    must_be_alike(["SELECT carts.id FROM carts WHERE id = $1"], ["SELECT id FROM carts WHERE token_hash = $1"])


@pytest.mark.parametrize(
    "floor", [["BEGIN", "COMMIT"], ["BEGIN", "SELECT FROM products", "COMMIT"], ["BEGIN", "DELETE FROM carts"], []]
)
def test_a_floor_that_does_less_or_something_else_is_refused(floor: list[str]) -> None:
    with pytest.raises(CannotMeasure, match="SELECT FROM carts"):
        must_be_alike(["BEGIN", "SELECT FROM carts", "COMMIT"], floor)
