"""What the tests of the development shop share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dev_shop import walkable_directory


@pytest.fixture
def walkable() -> Iterator[Path]:
    with walkable_directory() as directory:
        yield directory
