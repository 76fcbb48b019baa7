"""Every link, path and variable that the documentation names exists."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
CODE_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
VARIABLE_ROW = re.compile(r"^\|\s*`([A-Z][A-Z0-9_]+)`", re.MULTILINE)
EXAMPLE_VARIABLE = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]+)=", re.MULTILINE)


def main() -> int:
    problems = [f"{document}: {problem}" for document in documents() for problem in problems_of(document, Path.cwd())]
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    if not problems:
        sys.stdout.write("Documentation: every link, path and variable exists.\n")
    return 1 if problems else 0


def documents() -> list[Path]:
    """The Markdown files of the repository."""
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(git, capture_output=True, text=True, check=True)  # noqa: S603  # a fixed program
    return [Path(line) for line in listed.stdout.splitlines()]


def problems_of(document: Path, root: Path) -> Iterator[str]:
    """What a document names that is not there. Addresses on the network are not asked for."""
    whole = (root / document).read_text()
    text = CODE_FENCE.sub("", whole)
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (root / document).parent / path if path else root / document
        if not linked.exists():
            yield f"the link {target} leads nowhere"
        elif anchor and linked.suffix == ".md" and anchor not in anchors(linked):
            yield f"the link {target} names no heading"
    for code in CODE.findall(text):
        if looks_like_a_path(code, root) and not (
            (root / code).exists() or (root / document).parent.joinpath(code).exists()
        ):
            yield f"there is no {code}"
    known = set(EXAMPLE_VARIABLE.findall((root / ".env.example").read_text()))
    for variable in VARIABLE_ROW.findall(text):
        if variable not in known:
            yield f"{variable} is not in .env.example"


def looks_like_a_path(code: str, root: Path) -> bool:
    """Whether a piece of code speaks of a file here: `app/main.py`, not `GET /orders` or `a/b` of somebody else."""
    if not PATH.fullmatch(code) or "/" not in code.rstrip("/"):
        return False
    return (root / code.split("/")[0]).is_dir()


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    text = CODE_FENCE.sub("", document.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


if __name__ == "__main__":
    sys.exit(main())
