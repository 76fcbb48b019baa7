"""Five hundred things that nobody would search for in earnest."""

from collections.abc import Iterator
from random import Random
from urllib.parse import quote

_CURATED = (
    # Quotes and the operators of tsquery, of websearch_to_tsquery and of LIKE
    *("'", '"', "''", '""', '"unclosed', "'; --", '" OR "', "a & b", "a | b", "!a", "a <-> b", "a <2> b"),
    *("a:*", "a:ABCD"),
    *(":*", "&", "|", "!", "<->", "()", "(((((", ")", "\\", "\\'", "a\\", "-", "--", "-a", "-a -b", "a -a"),
    *("or", "or or", "and"),
    *("%", "_", "%%%", "a%", "[a-z]", ".*", "(?=a)*", "^$", "a{1000}", "$1", "$$", ":q", ":'q'", "{}", "[]"),
    *("{0}", "%s", "%(q)s"),
    # SQL, shells, templates, markup
    *("' OR 1=1 --", "'; DROP TABLE products; --", "1; SELECT pg_sleep(10)", "' UNION SELECT NULL --"),
    *("/* */", "0x27"),
    *("$(reboot)", "`id`", "| cat /etc/passwd", "../../../etc/passwd", "{{7*7}}", "${7*7}"),
    "<script>alert(1)</script>",
    *("<!--", "]]>", "&amp;", "\r\nSet-Cookie: a=b", "%0d%0a", "http://169.254.169.254/"),
    "file:///etc/passwd",
    # Numbers and what looks like a value
    *("null", "NULL", "None", "undefined", "true", "NaN", "Infinity", "-0", "1e309", "9" * 200, "0" * 200),
    *("1/0", "\u017f", "İ"),
    # Scripts, directions, invisible and combining characters, emoji
    *("قهوة", "שלום", "咖啡杯", "コーヒー", "커피", "кофе", "กาแฟ", "\u202e\u0647\u0642", "\u200f", "\u200b"),
    *("\ufeff", "\u2028"),
    *("e\u0301", "\u0301" * 50, "Z\u0351\u036b\u0343", "ﷺ", "🫖", "👩‍👩‍👧‍👦", "🏳️‍🌈" * 20, "\U0010ffff"),
    *("\ufffe", "\ue000"),
    # Control characters
    *(chr(number) for number in range(32)),
    *("\x7f", "\x80", "\x9f", "a\x00b", "\x00", "tab\there", "line\nbreak", "bell\x07", "\x1b[31m", "a\x1fb"),
    # Long ones
    *("a" * 200, "a" * 201, "a " * 100, "a" * 10_000, "🫖" * 200, '"' * 200, "(" * 200, "-a " * 66),
    *("a or " * 40, "é" * 200),
    *("a" * 10_240, "x" * 2_000 + "'" * 8_000, "- " * 5_000, " " * 10_000, "\t" * 200, "<->" * 66),
    "kettle " * 28,
    *("-" * 200, "- " * 100, "-(" * 100, "!-" * 100, "-\t" * 99 + "a", '-"-' * 66, "a" + "-" * 40 + "b"),
)  # fmt: skip
_RAW = (
    "%ED%A0%80",
    "%ED%B0%80",
    "%FF",
    "%C0%80",
    "%E2%82",
    "%F4%90%80%80",
    "%00",
    "%",
    "%ZZ",
    "%u0041",
    "+",
    "&&",
    "=",
    ";",
)
_PIECES = (
    *_CURATED[:70],
    "kettle",
    "Café",
    "\u202e",
    "🫖",
    "\x00",
    " ",
    "\n",
    "'",
    '"',
    "\\",
    "%",
    "&",
    "<->",
    ":*",
    "\u0301",
)


def hostile_texts() -> Iterator[str]:
    """The same ones every time, percent-encoded for a query string."""
    random = Random(1)  # noqa: S311  # the same every time is the purpose
    curated = [*(quote(text, safe="") for text in _CURATED), *_RAW]
    yield from curated
    for _ in range(500 - len(curated)):
        mixture = "".join(random.choice(_PIECES) for _ in range(random.randrange(2, 9)))
        yield quote(mixture, safe="")
