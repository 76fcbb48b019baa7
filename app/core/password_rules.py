"""Which passwords are too easy to guess (NIST SP 800-63B §3.1.1.2, OWASP ASVS 5.0 §6.2).

No rule asks for digits or capitals: those make people write `Password1!`. What is refused instead is what attackers try
first: passwords from breaches, runs and repetitions, and what they know of the person.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

BREACHED = Path(__file__).parents[1] / "data" / "common_passwords" / "passwords.txt"
LONGEST_GROUP = 4


def is_too_common(password: str) -> bool:
    """Whether it is among the passwords that are tried first, in whatever case of letters."""
    folded = _folded(password)
    return _repeats_a_group(folded) or _is_a_run(folded) or folded in _breached()


def is_made_of(password: str, words: Iterable[str]) -> bool:
    """Whether it is one of the words but for case, punctuation, and digits before or after: `Emporium-2026!`."""
    core = _core(password)
    return any(core == _core(word) != "" for word in words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _core(text: str) -> str:
    return "".join(filter(str.isalnum, _folded(text))).strip("0123456789")


def _repeats_a_group(password: str) -> bool:
    """`aaaaaaaa`, `abcabcab`: the text fits onto itself when moved by the length of the group."""
    return any(password[length:] == password[:-length] for length in range(1, LONGEST_GROUP + 1))


def _is_a_run(password: str) -> bool:
    """`23456789`, `hgfedcba`."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    return steps in ({1}, {-1})


@cache
def _breached() -> frozenset[str]:
    """Read when the first password is chosen: 1 MB of memory in a process that may never need it."""
    return frozenset(BREACHED.read_text(encoding="ascii").splitlines())
