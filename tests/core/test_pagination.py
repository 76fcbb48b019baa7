"""Cursors: opaque, signed, bound to one query; pages that know their neighbours."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.pagination import CursorError, CursorSigner, Page, Position

QUERY = {"sort": "price", "q": "mug"}


@pytest.fixture(scope="module")
def signer() -> CursorSigner:
    return CursorSigner("a secret of at least thirty-two bytes")


@given(
    values=st.tuples(
        st.integers() | st.floats(allow_nan=False) | st.text(),
        st.uuids().map(str),
    ),
    backwards=st.booleans(),
)
def test_a_position_survives_the_round_trip_exactly(values: tuple[object, str], backwards: bool) -> None:
    signer = CursorSigner("a secret of at least thirty-two bytes")

    assert signer.read(signer.sign(Position(values, backwards), QUERY), QUERY) == Position(values, backwards)


def test_times_travel_as_text_with_their_microseconds(signer: CursorSigner) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    position = signer.read(signer.sign(Position((moment,)), QUERY), QUERY)

    assert position is not None
    assert datetime.fromisoformat(position.values[0]) == moment


def test_without_a_cursor_there_is_no_position(signer: CursorSigner) -> None:
    assert signer.read(None, QUERY) is None


@pytest.mark.parametrize(
    "other", [{"sort": "-price", "q": "mug"}, {"sort": "price", "q": "cup"}, {"sort": "price"}, {}]
)
def test_a_cursor_belongs_to_its_query(signer: CursorSigner, other: dict[str, object]) -> None:
    cursor = signer.sign(Position((1999,)), QUERY)

    with pytest.raises(CursorError):
        signer.read(cursor, other)


def test_a_cursor_of_another_shop_is_refused(signer: CursorSigner) -> None:
    foreign = CursorSigner("another secret of at least 32 bytes").sign(Position((1999,)), QUERY)

    with pytest.raises(CursorError):
        signer.read(foreign, QUERY)


def test_no_single_bit_can_be_changed(signer: CursorSigner) -> None:
    raw = base64.urlsafe_b64decode(signer.sign(Position((1999, "id")), QUERY) + "==")

    for index in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[index // 8] ^= 1 << index % 8
        with pytest.raises(CursorError):
            signer.read(base64.urlsafe_b64encode(forged).rstrip(b"=").decode(), QUERY)


@pytest.mark.parametrize("cursor", ["", "a", "AAAA", "not base64!", "ü", "\x00", "A" * 1000, "=" * 8, "e30"])
def test_nonsense_is_refused(signer: CursorSigner, cursor: str) -> None:
    with pytest.raises(CursorError):
        signer.read(cursor, QUERY)


def pages_of(signer: CursorSigner, cursor: str | None, limit: int = 2) -> Page[int]:
    """A page of the numbers 1 to 5, as a repository would read it."""
    position = signer.read(cursor, QUERY)
    if position is None:
        rows = [1, 2, 3, 4, 5]
    elif position.backwards:
        rows = [number for number in (5, 4, 3, 2, 1) if number < position.values[0]]
    else:
        rows = [number for number in (1, 2, 3, 4, 5) if number > position.values[0]]
    return signer.page(rows[: limit + 1], lambda number: (number,), limit=limit, position=position, query=QUERY)


def test_walking_to_the_end_and_back(signer: CursorSigner) -> None:
    first = pages_of(signer, None)
    second = pages_of(signer, first.next_cursor)
    third = pages_of(signer, second.next_cursor)
    back = pages_of(signer, third.prev_cursor)
    start = pages_of(signer, back.prev_cursor)

    assert [first.rows, second.rows, third.rows] == [[1, 2], [3, 4], [5]]
    assert [back.rows, start.rows] == [[3, 4], [1, 2]]
    assert [page.has_more for page in (first, second, third, back, start)] == [True, True, False, True, True]
    assert (first.prev_cursor, third.next_cursor, start.prev_cursor) == (None, None, None)
    assert back.next_cursor == second.next_cursor


def test_a_full_last_page_does_not_promise_another(signer: CursorSigner) -> None:
    page = pages_of(signer, None, limit=5)

    assert page.rows == [1, 2, 3, 4, 5]
    assert not page.has_more


def test_an_empty_page_has_no_neighbours(signer: CursorSigner) -> None:
    page: Page[int] = signer.page([], lambda row: (row,), limit=2, position=Position((5,)), query=QUERY, total=0)

    assert page == Page(rows=[], limit=2, next_cursor=None, prev_cursor=None, total=0)
