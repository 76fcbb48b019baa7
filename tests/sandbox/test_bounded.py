"""Memory that cannot grow without end."""

from sandbox.bounded import BoundedDict


def test_the_oldest_entry_makes_room() -> None:
    kept: BoundedDict[str, int] = BoundedDict(2)

    kept["a"], kept["b"], kept["a"], kept["c"] = 1, 2, 3, 4

    assert dict(kept) == {"b": 2, "c": 4}
