"""Names made fit for an address."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.core.slugs import SLUG_PATTERN, id_or_slug, slugify, with_suffix
from app.schemas.base import Slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Café Crème, 2 cups", "cafe-creme-2-cups"),
        ("  --Mug--  ", "mug"),
        ("カップ", "product"),
        ("A" * 300, "a" * 100),
    ],
)
def test_a_slug_keeps_what_is_left_of_a_name_in_ascii(name: str, slug: str) -> None:
    assert slugify(name, fallback="product") == slug


@given(st.text(max_size=300))
def test_whatever_the_name_its_slug_is_one(name: str) -> None:
    for slug in (slugify(name, fallback="product"), with_suffix(slugify(name, fallback="product"))):
        assert re.fullmatch(SLUG_PATTERN, slug)
        assert len(slug) <= 120


@pytest.mark.parametrize("address", ["", "Mug", "a--b", "-a", "a_b", "a b", "%", "a\n", "\x00"])
def test_no_other_text_is_an_address(address: str) -> None:
    assert id_or_slug(address) is None


def test_an_id_is_told_from_a_slug() -> None:
    assert id_or_slug("0198C0DE-0000-7000-8000-00000000000A") == UUID("0198c0de-0000-7000-8000-00000000000a")
    assert id_or_slug("0198c0de-0000-7000") == "0198c0de-0000-7000"


def test_no_slug_looks_like_an_id() -> None:
    name = "019b76da ab2e 7453 aa68 077d86adf3ed"
    assert slugify(name, fallback="product").startswith(f"{name.replace(' ', '-')}-")
    with pytest.raises(ValidationError, match="must not look like an id"):
        TypeAdapter(Slug).validate_python(name.replace(" ", "-"))
