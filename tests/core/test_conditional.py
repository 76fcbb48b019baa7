"""Which versions an If-Match names (RFC 9110 §13.1.1)."""

import pytest

from app.core.conditional import Versions, versions_in


@pytest.mark.parametrize(
    ("if_match", "versions"),
    [
        ("*", None),
        (" * ", None),
        ('"v3"', {3}),
        ('W/"v3"', {3}),
        ('"v3-0123456789abcdef"', {3}),
        ('"v3", "v4"', {3, 4}),
        ('"v3","v4" , W/"v5"', {3, 4, 5}),
        (',, "v3",,', {3}),
        ('"a,b", "v3"', {3}),
        ('"*"', set()),
        ('"1"', set()),
        ('"v"', set()),
        ('"v-1"', set()),
        ('"v\xb2"', set()),
        ("", set()),
        (" , ,", set()),
        (f'"v{"9" * 30}"', set()),
    ],
)
def test_versions_are_found_among_the_tags(if_match: str, versions: Versions) -> None:
    assert versions_in(if_match) == versions


@pytest.mark.parametrize("if_match", ["v3", "3", '"v3" "v4"', '*, "v3"', '"v3', 'w/"v3"', "'v3'", '"v3\x00"', "\xff"])
def test_what_is_no_list_of_tags_is_refused(if_match: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is what was sent
        versions_in(if_match)
