"""Who is asking is remembered for as long as every change would be heard, by a bounded number, and no longer."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from app.models.users import Role
from app.services.known_principals import LONGEST, KnownPrincipals
from app.services.principals import Principal


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass."""
    passed = [1000.0]
    monkeypatch.setattr("app.services.known_principals.time.monotonic", lambda: passed[0])

    def wait(seconds: float) -> None:
        passed[0] += seconds

    return wait


def listening(most: int = 10) -> KnownPrincipals:
    known = KnownPrincipals(most)
    known.begin()
    return known


def somebody(user_id: UUID | None = None) -> Principal:
    return Principal(user_id or uuid4(), uuid4(), Role.CUSTOMER, frozenset())


def remember(known: KnownPrincipals, person: Principal, seconds: float = LONGEST) -> UUID:
    known.remember(person.session_id, person.user_id, person, known.changes, seconds)
    return person.session_id


def test_nobody_is_remembered_while_changes_would_not_be_heard() -> None:
    known = KnownPrincipals()
    assert known.get(remember(known, somebody())) is None

    known.begin()
    person = somebody()
    proof = remember(known, person)
    assert known.get(proof) is person

    known.end()
    assert known.get(proof) is None
    known.begin()
    assert known.get(proof) is None


def test_a_change_is_about_all_sessions_of_one_person() -> None:
    known, user_id = listening(), uuid4()
    here, there, other = (remember(known, somebody(each)) for each in (user_id, user_id, uuid4()))

    known.forget(str(user_id))

    assert (known.get(here), known.get(there)) == (None, None)
    assert known.get(other) is not None
    known.forget(str(uuid4()))


def test_what_was_read_before_a_change_is_not_remembered_after_it() -> None:
    known, person = listening(), somebody()
    changes = known.changes
    known.forget(str(person.user_id))

    known.remember(person.session_id, person.user_id, person, changes)

    assert known.get(person.session_id) is None


def test_nor_what_was_read_before_a_gap_in_the_listening() -> None:
    known, person = listening(), somebody()
    changes = known.changes
    known.end()
    known.begin()

    known.remember(person.session_id, person.user_id, person, changes)

    assert known.get(person.session_id) is None


@pytest.mark.parametrize(("good_for", "remembered_for"), [(LONGEST, LONGEST), (5.0, 5.0), (10_000.0, LONGEST)])
def test_it_is_looked_up_again_after_a_while_and_not_after_its_end(
    later: Callable[[float], None], good_for: float, remembered_for: float
) -> None:
    known = listening()
    proof = remember(known, somebody(), good_for)

    later(remembered_for - 0.01)
    assert known.get(proof) is not None
    later(0.02)
    assert known.get(proof) is None


def test_beyond_the_bound_the_oldest_goes_whoever_it_is() -> None:
    known, user_id = listening(most=3), uuid4()
    proofs = [remember(known, somebody(user_id)) for _ in range(3)]
    again = known.get(proofs[0])
    assert isinstance(again, Principal)
    remember(known, again)

    newest = remember(known, somebody())

    assert [known.get(proof) is not None for proof in (*proofs, newest)] == [True, False, True, True]


def test_nothing_is_left_of_those_who_went() -> None:
    known = listening(most=100)
    for _ in range(1000):
        remember(known, somebody())

    assert len(known._by_proof) == len(known._proofs_of) == 100
    for person in list(known._proofs_of):
        known.forget(str(person))
    assert (known._by_proof, known._proofs_of) == ({}, {})
