"""What still holds."""

import time

import pytest

from app.core.cache import journal as journal_module
from app.core.cache.entries import Entry
from app.core.cache.journal import EVERYTHING, Journal


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal.begin()
    return journal


def computed(*tags: str) -> Entry:
    return Entry([], b"", tags, time.time())


def test_an_entry_holds_until_something_it_depends_on_changes(journal: Journal) -> None:
    mug, cup = computed("product:mug"), computed("product:cup", "catalogue")
    journal.change("product:mug")

    assert not journal.holds(mug)
    assert journal.holds(cup)
    assert journal.holds(computed("product:mug"))
    journal.change("catalogue")
    assert not journal.holds(cup)


def test_an_answer_that_was_under_way_when_the_change_came_does_not_hold(journal: Journal) -> None:
    began = time.time()
    journal.change("catalogue")

    assert not journal.holds(Entry([], b"", ("catalogue",), began))


def test_nothing_holds_before_and_after_the_listening() -> None:
    journal = Journal()
    assert not journal.holds(computed("a"))
    journal.begin()
    known = computed("a")
    assert journal.holds(known)
    journal.end()
    assert not journal.holds(known)
    journal.begin()
    assert not journal.holds(known), "a change may have gone unheard meanwhile"
    assert journal.holds(computed("a"))


def test_everything_can_change_at_once(journal: Journal) -> None:
    known = computed("a")
    journal.change(EVERYTHING)

    assert not journal.holds(known)


def test_it_forgets_rather_than_grow(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MOST_REMEMBERED", 3)
    known = computed("a")
    for number in range(4):
        journal.change(f"b{number}")

    assert not journal.holds(known), "what it has forgotten it may not vouch for"
    assert journal.holds(computed("a"))


def test_a_change_while_nobody_listens_does_not_begin_to_trust() -> None:
    journal = Journal()
    journal.change(EVERYTHING)

    assert not journal.holds(computed("a"))
