"""Every goal has its scenario; and a small run goes through from one end to the other."""

import os
import re
import subprocess
import sys
from pathlib import Path

from bench import carts
from bench.catalogue import VARIANT, row_id, sku
from bench.goals import GOALS
from bench.scenarios import SCENARIOS

ROOT = Path(__file__).parent.parent.parent


def test_every_goal_is_measured() -> None:
    assert SCENARIOS.keys() == GOALS.keys()


def test_skus_are_the_first_variants_of_products() -> None:
    assert str(sku(0)) == "019a0000-0003-7000-8000-000000000001"
    assert sku(9) == row_id(VARIANT, 28)


def test_a_cart_holds_three_different_skus() -> None:
    for number in range(1, 50):
        assert len(set(carts.variants(number, 10))) == carts.LINES


def test_a_small_run_measures_reads_and_writes() -> None:
    options = ("--products", "1000", "--rounds", "1", "--seconds", "0.5", "--no-save")
    done = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "bench", "run", *options, "--only", "uncached_list", "--only", "add_to_cart"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("TEST_")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"│ uncached_list +│ b +│ +\d+\.\d\d ", done.stdout)
    assert re.search(r"│ add_to_cart +│ c +│ +\d+\.\d\d ", done.stdout)
