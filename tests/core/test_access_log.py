"""The hand-written line for each request is what `logging` would have written."""

import asyncio
import io
import json
import logging
from contextlib import redirect_stdout

import pytest

from app.core.access_log import FLUSH_AFTER, access_log
from app.core.context import begin, note
from app.core.logging import configure_logging, get_logger


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


async def test_it_is_the_line_that_logging_writes(output: io.StringIO) -> None:
    path = '/api/v1/products/"quoted" \n ana@example.com'
    with redirect_stdout(output):
        configure_logging("INFO", "json")
        begin(request_id="abcdefgh", trace_id="0af7")
        note(actor_id="someone")
        access_log("json")("GET", path, 200, 0.01234)
        get_logger("access").info("request", method="GET", path=path, status=200, milliseconds=12.3)
        await asyncio.sleep(FLUSH_AFTER)

    ours, theirs = (json.loads(line) for line in output.getvalue().splitlines())
    assert ours.pop("timestamp").endswith("Z")
    assert theirs.pop("timestamp").endswith("Z")
    assert ours == theirs
    assert "ana@example.com" not in output.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
async def test_no_control_character_gets_into_it(output: io.StringIO, form: str) -> None:
    hostile = 'a"\x1b]0;pwned\x07\x7f\x9b\n'
    with redirect_stdout(output):
        configure_logging("INFO", form)
        begin(request_id="abcdefgh", actor_id=hostile)
        access_log(form)("GET", hostile, 404, 0.01234)

    (line,) = output.getvalue().splitlines()
    assert all(character.isprintable() for character in line)
    if form == "json":
        assert (json.loads(line)["path"], json.loads(line)["actor_id"]) == (hostile, hostile)


@pytest.mark.parametrize(("level", "lines"), [("INFO", 1), ("WARNING", 0)])
async def test_it_says_nothing_at_a_higher_level(output: io.StringIO, level: str, lines: int) -> None:
    with redirect_stdout(output):
        logging.getLogger().setLevel(level)
        access_log("json")("GET", "/", 200, 0.0)

    assert len(output.getvalue().splitlines()) == lines
    logging.getLogger().setLevel("WARNING")
