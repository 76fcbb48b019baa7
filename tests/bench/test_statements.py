"""Statements in the server's log, and the script for pgbench that is made of them."""

from bench.statements import Statement, parsed, script

LOG = """\
2026-11-22 19:28:06.174 UTC [4711] LOG:  statement: BEGIN;
2026-11-22 19:28:06.174 UTC [4711] LOG:  execute __asyncpg_stmt_5__: SELECT carts.id
\tFROM carts
\tWHERE carts.id = $1 AND owner = $2 OR $3
2026-11-22 19:28:06.174 UTC [4711] DETAIL:  Parameters: $1 = 'O''Hara, $2 = ''x''
\tand sons', $2 = NULL, $3 = 't'
2026-11-22 19:28:06.175 UTC [4711] LOG:  execute <unnamed>: ;
2026-11-22 19:28:06.176 UTC [4711] LOG:  checkpoint starting: time
2026-11-22 19:28:06.177 UTC [4711] LOG:  statement: COMMIT;
"""
OLD, MADE_FOR_IT = "019a0000-0007-7000-8000-000000000007", "01a204cd-719e-7add-88b1-e9ef48a0c788"
SENT_AT = int(MADE_FOR_IT.replace("-", "")[:12], 16) / 1000


def test_the_log_tells_what_ran() -> None:
    assert list(parsed(LOG)) == [
        Statement("BEGIN", {}),
        Statement(
            "SELECT carts.id\nFROM carts\nWHERE carts.id = $1 AND owner = $2 OR $3",
            {1: "O'Hara, $2 = 'x'\nand sons", 2: None, 3: "t"},
        ),
        Statement("COMMIT", {}),
    ]


def test_values_become_constants() -> None:
    statement = Statement("SELECT $1::TEXT, $2::INTEGER, $10::TEXT", {1: "it's", 2: None, 10: ""})

    assert script([statement], {}, SENT_AT) == "SELECT ('it''s')::TEXT, NULL::INTEGER, ('')::TEXT;\n"


def test_what_belongs_to_the_request_is_pgbench_s_own() -> None:
    statement = Statement("SELECT $1::UUID[]", {1: f"{{{OLD},{OLD}}}"})

    assert script([statement], {OLD: "bench.id(7, :cart)::text"}, SENT_AT) == (
        "SELECT ('{' || bench.id(7, :cart)::text || ',' || bench.id(7, :cart)::text || '}')::UUID[];\n"
    )


def test_ids_that_were_made_for_the_request_are_made_again_and_others_stay() -> None:
    made = Statement("INSERT INTO orders VALUES ($1::UUID, $2::UUID)", {1: MADE_FOR_IT, 2: OLD})
    again = Statement("SELECT $1::JSON", {1: f'{{"id":"{MADE_FOR_IT}"}}'})

    text = script([made, again], {}, SENT_AT)

    own = "bench.id(8, 100 * :cart::bigint + 0)::text"
    assert text.splitlines() == [
        f"INSERT INTO orders VALUES (({own})::UUID, ('{OLD}')::UUID);",  # noqa: S608  # nobody runs it
        f"""SELECT ('{{"id":"' || {own} || '"}}')::JSON;""",
    ]


def test_no_constant_looks_like_a_variable() -> None:
    statement = Statement("SELECT $1::JSON", {1: '{"a":null,"at":"19:28"}'})

    assert script([statement], {}, SENT_AT) == """SELECT ('{"a": null,"at":"19:28"}')::JSON;\n"""
