"""Log lines: one object each, without secrets and without anybody's address."""

import json
import logging
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError

from app.core.context import begin
from app.core.logging import configure_logging, get_logger
from app.database import retried_on_conflict
from tests.support.logs import standard_output

Log = Callable[[], str]


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """What the process has written to standard output so far, in each of the two forms."""
    begin()
    with standard_output() as output:
        configure_logging("DEBUG", request.param)
        yield output.getvalue


only_json = pytest.mark.parametrize("log", ["json"], indirect=True)


@only_json
def test_a_line_is_an_object_with_what_is_bound_to_the_request(log: Log) -> None:
    begin(request_id="abcdefgh")
    get_logger("shop").info("order placed", lines=2)

    line = json.loads(log())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "order placed", "logger": "shop", "level": "info", "request_id": "abcdefgh", "lines": 2}


@only_json
def test_lines_of_libraries_look_the_same(log: Log) -> None:
    begin(request_id="abcdefgh")
    logging.getLogger("library").warning("slow: %s ms", 900, extra={"host": "db"})

    line = json.loads(log())
    assert (line["event"], line["logger"], line["level"]) == ("slow: 900 ms", "library", "warning")
    assert (line["request_id"], line["host"]) == ("abcdefgh", "db")


@pytest.mark.parametrize(
    "name",
    [
        *("password", "new_password", "access_token", "Authorization", "cookie", "client_secret", "api_key"),
        *("card_number", "cvc", "phone", "full_name", "shipping_address", "line1", "totp_code", "recovery_codes"),
    ],
)
def test_secrets_are_known_by_their_names(log: Log, name: str) -> None:
    get_logger("shop").info(
        "canary here", **{name: "canary-1", "within": {name: "canary-2", "list": [{name: "canary-3"}]}}
    )

    assert "canary here" in log()
    assert "canary-" not in log()


@pytest.mark.parametrize("value", ["ada@example.com", ["ada@example.com"], {"to": ("ada@example.com",)}])
def test_addresses_are_left_out_wherever_they_are(log: Log, value: Any) -> None:
    get_logger("shop").info("mail to ada@example.com", value=value)
    logging.getLogger("library").info("mail to %s", "ada@example.com")

    assert "[e-mail]" in log()
    assert "ada@" not in log()


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"),
        ("it sent emp_live_x7QaJ0l4bq6H1Yx3mWc8RkT5sNd9aG-vUe again", "it sent [key] again"),
        ("the key emp_live_x7Qa is used", "the key emp_live_x7Qa is used"),
        ("-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n", "[key]"),
        ("it sent eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln again", "it sent [token] again"),
        ("no route to postgresql://shop:hunter2@db/shop", "no route to postgresql://[redacted]@db/shop"),
        ("paid with 4242 4242 4242 4242 today", "paid with [card] today"),
        ("paid with 378282246310005", "paid with [card]"),
        ("order 1234567890123, 2 lines", "order 1234567890123, 2 lines"),  # not a card's checksum
        ("at 2026-11-22 18:30:00", "at 2026-11-22 18:30:00"),
    ],
)
@only_json
def test_what_looks_like_a_secret_is_left_out_wherever_it_is(log: Log, said: str, logged: str) -> None:
    get_logger("shop").warning(said)
    logging.getLogger("library").warning("%s", said)

    assert [json.loads(line)["event"] for line in log().splitlines()] == [logged, logged]


class Row(BaseModel):
    quantity: int


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CheckViolationError.new(
            {"C": "23514", "M": "new row breaks ck_lines", "D": "Failing row contains (1, canary Road 1,\ncanary 2)."}
        ),
        DBAPIError("INSERT", {"phone": "canary"}, Exception("broken\nDETAIL:  Key (phone)=(canary) exists."), True),
    ],
)
def test_a_traceback_does_not_repeat_the_row_that_was_refused(log: Log, error: Exception) -> None:
    try:
        raise error
    except (asyncpg.PostgresError, DBAPIError):
        get_logger("shop").exception("failed")

    assert "Error" in log()
    assert "DETAIL: [redacted]" in log()
    assert "canary" not in log()


def test_a_traceback_does_not_repeat_the_input_that_was_refused(log: Log) -> None:
    given = "".join(["can", "ary\n', input"])
    try:
        Row.model_validate({"quantity": given})
    except ValidationError:
        get_logger("shop").exception("failed")

    assert "Input should be a valid integer" in log()
    assert "canary" not in log()


def test_a_traceback_shows_code_and_no_values(log: Log) -> None:
    password = "".join(["can", "ary"])

    def sign_in(password: str) -> None:
        raise ValueError("ada@example.com is unknown")

    try:
        sign_in(password)
    except ValueError:
        get_logger("shop").exception("sign-in failed")

    assert "in sign_in" in log()
    assert "[e-mail] is unknown" in log()
    assert "canary" not in log()
    assert "ada@" not in log()


@only_json
def test_an_exception_is_one_line(log: Log) -> None:
    try:
        raise ValueError("first line\nsecond line")
    except ValueError:
        get_logger("shop").exception("failed")

    (line,) = log().splitlines()
    assert json.loads(line)["exception"].endswith("ValueError: first line\nsecond line")


@pytest.mark.parametrize("path", ["/a\nFAKE", "/a\r\nFAKE"])
def test_a_path_cannot_forge_a_line(log: Log, path: str) -> None:
    get_logger("access").info("request", path=path)

    assert len(log().splitlines()) == 1


HOSTILE = "a\x00\x07\x1b]0;pwned\x7f\x85\x9b31m\r\n\t\u2028\u202ez"
SURROGATE = f"{HOSTILE}\ud800"  # where pytest, too, shows its repr: what it keeps of a test it must be able to send on


def obeyed(written: str) -> set[str]:
    """What is in a log that a terminal may obey, but for the ends of lines."""
    return {each for each in written if unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"\n"}


class Odd:
    def __repr__(self) -> str:
        return HOSTILE


def test_no_control_character_reaches_a_log_whatever_the_field(log: Log) -> None:
    begin(actor_id=HOSTILE)
    get_logger("shop").info(SURROGATE, text=SURROGATE, within={SURROGATE: [SURROGATE]}, odd=Odd(), **{SURROGATE: 1})
    logging.getLogger("library").warning("%s", HOSTILE, extra={"host": HOSTILE})

    assert len(log().splitlines()) == 2
    assert not obeyed(log())
    if log().startswith("{"):
        assert {json.loads(line)["actor_id"] for line in log().splitlines()} == {HOSTILE}


def test_nor_does_one_in_a_traceback(log: Log) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        get_logger("shop").exception("failed")

    assert "ValueError: a" in log()
    assert not obeyed(log())


async def test_what_is_tried_again_is_named_without_its_arguments(log: Log) -> None:
    class Deadlock(Exception):
        sqlstate = "40P01"

    attempts: list[str] = []

    @retried_on_conflict
    async def change_cart(token: str) -> None:
        attempts.append(token)
        if len(attempts) == 1:
            raise DBAPIError("UPDATE", {"token": token}, Deadlock())

    await change_cart("canary")

    assert attempts == ["canary", "canary"]
    assert "change_cart" in log()
    assert "canary" not in log()
