"""py-spy's collapsed stacks become shares of functions and of packages."""

from bench.profiling import Profile

STACKS = """\
main (app/cli.py:9);run (asyncio/runners.py:118);fetch (asyncpg/pool.py:12) 6
main (app/cli.py:9);run (asyncio/runners.py:118);fetch (asyncpg/pool.py:14);dumps (json/__init__.py:3) 2
main (app/cli.py:9);run (asyncio/runners.py:118);render (app/views.py:1);render (app/views.py:7) 2
_bootstrap (threading.py:1002);Condition.wait (threading.py:327) 500
main (app/cli.py:9); 1
"""


def test_a_function_has_its_own_samples_and_those_below_it() -> None:
    profile = Profile.of(STACKS.splitlines())

    assert profile.samples == 10
    assert profile.own["fetch (asyncpg/pool.py)"] == 6
    assert profile.total["fetch (asyncpg/pool.py)"] == 8
    assert profile.total["main (app/cli.py)"] == 10


def test_one_that_calls_itself_counts_once() -> None:
    assert Profile.of(STACKS.splitlines()).total["render (app/views.py)"] == 2


def test_samples_belong_to_packages() -> None:
    assert Profile.of(STACKS.splitlines()).own_by_package() == {"asyncpg": 6, "standard library": 2, "app": 2}
