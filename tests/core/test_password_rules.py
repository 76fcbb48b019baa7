"""Which passwords are tried first."""

import pytest

from app.core.password_rules import BREACHED, is_made_of, is_too_common

FULL_WIDTH = 0xFEE0  # from an ASCII letter to its wide twin


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password1",
        "QWERTYUIOP",
        "iloveyou",
        "1q2w3e4r5t",
        "letmein1",
        "trustno1",
        "".join(chr(ord(letter) + FULL_WIDTH) for letter in "password"),
        "aaaaaaaa",
        "\N{SNOWMAN}" * 8,
        "abcabcabcabc",
        "abcdabcdab",
        "12345678901",
        "23456789",
        "hgfedcba",
    ],
)
def test_these_are(password: str) -> None:
    assert is_too_common(password)


@pytest.mark.parametrize(
    "password",
    [
        "a long enough passphrase",
        "correct horse battery staple",
        " password ",
        "passwordpasswor",
        "73519846",
        "abcdeabcde",  # a group of five
        "zażółć gęślą jaźń",
        "x7#Qp2!m",
    ],
)
def test_these_are_not(password: str) -> None:
    assert not is_too_common(password)


def test_the_list_is_as_its_description_says() -> None:
    passwords = BREACHED.read_text(encoding="ascii").splitlines()

    assert f"{len(passwords):,} passwords" in BREACHED.with_name("README.md").read_text(encoding="utf-8")
    assert passwords == sorted(set(passwords))
    assert all(len(password) >= 8 and password == password.casefold() for password in passwords)


@pytest.mark.parametrize(
    "password", ["Emporium", "emporium2026!", "123-EMPORIUM-123", "AdaLovelace1815", "ada.lovelace"]
)
def test_words_are_recognised_in_their_disguises(password: str) -> None:
    assert is_made_of(password, ["emporium", "Ada Lovelace"])


@pytest.mark.parametrize("password", ["emporium of wonders", "ada", "12345678", "!!!!!!!!", ""])
def test_a_word_among_others_is_no_disguise(password: str) -> None:
    assert not is_made_of(password, ["emporium", "Ada Lovelace", "2026", "", "?"])
