"""No page names a command, an option or a target of make that is not there."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from cyclopts import CycloptsError

from segmint.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    # Those of docs/extend name what they add, and are parsed where it is (test_snippets.py).
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "extend"),
]


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders that the pages call runs: ``segmint evaluate`` looks whether they are."""
    monkeypatch.chdir(tmp_path)
    for name in ("run", "RUN"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "run.json").write_text("{}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_are_understood(page: Path, pages: ModuleType) -> None:
    wrong = []
    for line in pages.command_lines(page):
        if line.startswith("segmint"):
            try:
                pages.parse(line)
            except (CycloptsError, UsageError) as error:
                wrong.append(f"{line!r}: {error}")
    assert wrong == []


def test_the_start_has_commands(pages: ModuleType) -> None:
    for name in ("README.md", "docs/index.md"):
        assert len(list(pages.command_lines(ROOT / name))) >= 10


def test_targets_of_make_are_there(pages: ModuleType) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [line for page in PAGES for line in pages.command_lines(page)]
    asked = {line.split()[1] for line in lines if line.startswith("make ")}
    assert asked
    assert asked <= targets


@pytest.mark.parametrize(
    "wrong",
    [
        "segmint segment a.jpg --componnts 3",
        "segmint segment a.jpg --method hybird",
        "segmint train unet DATA --epochs many",
        "segmint sgment a.jpg",
    ],
)
def test_what_is_not_there_is_noticed(wrong: str, pages: ModuleType) -> None:
    with pytest.raises((CycloptsError, UsageError)):
        pages.parse(wrong)
