"""What the service really writes to its log, byte for byte."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def standard_output() -> Iterator[io.StringIO]:
    """Standard output, for loggers configured inside; the configuration of before comes back at the end.

    In a fixture, configure there: before the test begins, pytest puts its own standard output in place again.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patch, io.StringIO() as output:
        patch.setattr(sys, "stdout", output)
        try:
            yield output
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
