"""What the tests of the development shop share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def walkable() -> Iterator[Path]:
    """A directory that every user can walk to, as `nobody` must where root runs PostgreSQL; pytest's own are closed."""
    directory = Path(tempfile.mkdtemp(prefix="emporium-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)
