"""One line for each request.

There are more of these than of all other lines together, and `logging` takes as long over one as the response cache
over a whole answer. So the JSON form is written by hand, and flushed a moment later rather than line by line.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from app.core.context import current
from app.core.logging import as_json_line, get_logger, without_addresses

Say = Callable[[str, str, int, float], None]
"""Method, path, status and seconds of a request."""

FLUSH_AFTER = 0.1  # seconds
_logger = get_logger("access")


def access_log(form: str) -> Say:
    """Lines as `configure_logging` was told to write all others."""
    return _JsonLines().say if form == "json" else _say


def _say(method: str, path: str, status: int, seconds: float) -> None:
    _logger.info("request", method=method, path=path, status=status, milliseconds=round(seconds * 1000, 1))


class _JsonLines:
    def __init__(self) -> None:
        self._enabled = logging.getLogger("access").isEnabledFor(logging.INFO)
        self._flushing = False

    def say(self, method: str, path: str, status: int, seconds: float) -> None:
        if not self._enabled:
            return
        context = "".join([f', "{name}": {quoted(value)}' for name, value in current().items()])
        line = (
            f'{{"event": "request", "method": {quoted(method)}, "path": {quoted(without_addresses(path))}, '
            f'"status": {status}, "milliseconds": {seconds * 1000:.1f}{context}, "logger": "access", "level": "info", '
            f'"timestamp": "{_timestamp()}"}}\n'
        )
        sys.stdout.write(as_json_line(line))
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(FLUSH_AFTER, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        sys.stdout.flush()


def _timestamp() -> str:
    now = time.time()
    return f"{_second(int(now))}.{int(now % 1 * 1_000_000):06d}Z"


@lru_cache(maxsize=2)
def _second(since_1970: int) -> str:
    return datetime.fromtimestamp(since_1970, UTC).strftime("%Y-%m-%dT%H:%M:%S")
