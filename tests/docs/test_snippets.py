"""The code of the pages on extending does what they say, put into a copy of the tree.

A block whose title is a file that is there is added to its end; the others are new files.
"""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEW = {
    "term": ("test_terms.py", "entropy and not cross_entropy"),
    "network": ("test_networks.py", "dilated-stack or dilated_stack"),
    "dataset": ("test_datasets.py", "leaves"),
    "method": ("test_methods.py", "bands"),
    "recipe": (None, "unet_dice"),
    "protocol": ("test_protocols.py", "volume"),
}
"""Of each page the contract, and which tests are of what it adds."""


def run(words: list[str], folder: Path, *, given: str = "") -> str:
    """Run Python in the copy and give what it printed; fail where it fails."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, pages: ModuleType) -> Path:
    """A copy of the tree with all that the pages add; the new files are in ``new.txt``."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("src", "tests/contracts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/conftest.py", "tests/test_floors.py"):
        shutil.copy(ROOT / name, copy / name)
    new = []
    for page in NEW:
        for block in pages.blocks(ROOT / f"docs/extend/{page}.md"):
            if block.language == "python":
                place = copy / block.title
                if not place.exists():
                    new.append(block.title)
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("a") as file:
                    file.write(("\n\n" if place.stat().st_size else "") + block.code)
    (copy / "new.txt").write_text("\n".join(new))
    return copy


def test_every_page_is_looked_at() -> None:
    there = {page.stem for page in (ROOT / "docs/extend").glob("*.md")}
    assert there == {"index", *NEW}


def test_what_the_pages_add_keeps_its_contract(tree: Path) -> None:
    own = [name for name in (tree / "new.txt").read_text().split() if name.startswith("tests/")]
    contracts = [f"tests/contracts/{name}" for name, _ in NEW.values() if name]
    chosen = " or ".join(f"({words})" for _, words in NEW.values())
    said = run(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", *own, *contracts, "-k", chosen], tree
    )
    passed = int(said.split(" passed")[0].split()[-1])
    assert passed > 100
    assert "skipped" not in said


def test_new_files_keep_the_rules_of_the_house(tree: Path) -> None:
    new = (tree / "new.txt").read_text().split()
    run(["-m", "ruff", "check", "--no-cache", *new], tree)
    run(["-m", "ruff", "format", "--no-cache", "--check", *new], tree)
    stems = " or ".join(Path(name).stem for name in new)
    floors = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_floors.py", "-k", stems]
    assert " passed" in run(floors, tree)


def test_commands_of_the_pages_are_understood(tree: Path, pages: ModuleType) -> None:
    lines = [
        line
        for page in sorted((ROOT / "docs/extend").glob("*.md"))
        for line in pages.command_lines(page)
    ]
    assert len(lines) > 10
    run([str(Path(__file__).with_name("pages.py"))], tree, given="\n".join(lines))


def test_what_is_added_is_listed_and_composed(tree: Path) -> None:
    code = (
        "import segmint, torch\n"
        f"assert segmint.__file__.startswith({str(tree)!r})\n"
        "from segmint.objectives import Batch, Objective\n"
        "objective = Objective('similarity + 0.1*entropy')\n"
        "objective(torch.zeros(1, 5, 3, 4), Batch(image=torch.zeros(1, 3, 3, 4)))\n"
        "print(objective.parts['entropy'] / 0.1, torch.tensor(5.0).log().item())\n"
    )
    found, expected = map(float, run(["-c", code], tree).split())
    assert found == pytest.approx(expected)
    listed = run(["-m", "segmint", "list"], tree)
    for name in ("entropy", "dilated-stack", "leaves", "bands", "unet-dice"):
        assert f" {name} " in listed or f"\n{name} " in listed


@pytest.mark.parametrize(
    "page",
    sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]),
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_names_in_python_blocks_are_there(page: Path, pages: ModuleType) -> None:
    if page.parent.name == "extend":
        return
    for block in pages.blocks(page):
        if block.language != "python":
            continue
        for node in ast.walk(ast.parse(block.code)):
            if isinstance(node, ast.ImportFrom) and f"{node.module}".startswith("segmint"):
                module = importlib.import_module(f"{node.module}")
                assert all(hasattr(module, each.name) for each in node.names)
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("segmint."):
                assert resolves(ast.unparse(node)), ast.unparse(node)


def resolves(dotted: str) -> bool:
    """Whether ``segmint.Run`` or ``segmint.metrics.covering`` is there."""
    found: object = importlib.import_module("segmint")
    for name in dotted.split(".")[1:]:
        found = getattr(found, name, None)
    return found is not None
