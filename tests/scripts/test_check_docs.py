"""The documentation check finds what is not there, and nothing else."""

from pathlib import Path

import pytest

from scripts.check_docs import problems_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "guide.md").write_text("# A guide, for you\n")
    (tmp_path / ".env.example").write_text("SECRET_KEY=x\n# LOG_LEVEL=INFO\n")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "[main](app/main.py) and [far away](https://example.com/nothing)",
        "[guide](docs/guide.md#a-guide-for-you)",
        "`app/main.py`, `docs/`, `GET /orders`, `application/json`, `shop dev`",
        "```\n[no link](nowhere.md) `app/nothing.py`\n```",
        "| `SECRET_KEY` | signs |\n| `LOG_LEVEL` | says |",
    ],
)
def test_what_exists_is_accepted(root: Path, text: str) -> None:
    (root / "README.md").write_text(text)

    assert list(problems_of(Path("README.md"), root)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("![shot](docs/shot.png)", "the link docs/shot.png leads nowhere"),
        ("[guide](docs/guide.md#elsewhere)", "the link docs/guide.md#elsewhere names no heading"),
        ("[here](#nowhere)", "the link #nowhere names no heading"),
        ("`app/nothing.py`", "there is no app/nothing.py"),
        ("| `SECRET_KEX` | signs |", "SECRET_KEX is not in .env.example"),
    ],
)
def test_what_is_missing_is_named(root: Path, text: str, problem: str) -> None:
    (root / "README.md").write_text(text)

    assert list(problems_of(Path("README.md"), root)) == [problem]
