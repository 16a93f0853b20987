"""The rules of the house that no linter knows: floors, and nothing that runs code from a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import segmint

ROOT = Path(segmint.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

FLOORS = {
    **dict.fromkeys(
        [
            "errors",
            "registry",
            "devices",
            "runs",
            "lazy",
            "forking",
            "locking",
            "options",
            "termination",
            "torchvision_operators",
        ],
        0,
    ),
    **dict.fromkeys(["images", "metrics"], 1),
    **dict.fromkeys(["networks"], 2),
    **dict.fromkeys(["objectives", "mixtures", "regions"], 3),
    **dict.fromkeys(["datasets"], 4),
    **dict.fromkeys(["solvers", "methods", "inference"], 5),
    **dict.fromkeys(["recipes", "comparisons", "engines"], 6),
    **dict.fromkeys(["reports"], 7),
    **dict.fromkeys(["cli", "app"], 8),
}
TOP = {"__init__", "__main__"}
"""Files of the root package: they only name what lies in the floors."""

FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib"}
FORBIDDEN_CALLS = {
    *("eval", "exec", "torch.load", "yaml.load", "pickle.load", "pickle.loads"),
    *("cloudpickle.load", "cloudpickle.loads"),
}
SENT_BY_RAY = {("engines/ray_actor.py", "cloudpickle.loads")}
"""The one place that unpickles: what Ray brings from the command, as it brings the code itself."""
SAFE_LOAD = "weights_only=True"
"""With it torch reads tensors and plain containers, and refuses the rest of a pickle."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part_of(path: Path) -> str:
    """``objectives`` of ``objectives/area.py``, ``errors`` of ``errors.py``."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, in functions and for type checks, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by a relative name"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything called; ``torch.load`` only where it is not safe."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name != "torch.load" or SAFE_LOAD not in map(ast.unparse, node.keywords):
                yield node.lineno, name


def own_imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and floor's name of what is imported from segmint."""
    for line, name in imports(path):
        package, *parts = name.split(".")
        if package == "segmint" and parts and not parts[0].startswith("__"):
            yield line, parts[0]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_has_a_floor(path: Path) -> None:
    assert part_of(path) in FLOORS or part_of(path) in TOP


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) not in TOP], ids=name_of)
def test_imports_only_from_its_floor_and_below(path: Path) -> None:
    own = FLOORS[part_of(path)]
    too_high = [f"line {line}: {part}" for line, part in own_imports(path) if FLOORS[part] > own]
    assert not too_high


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_runs_no_code_from_files(path: Path) -> None:
    modules = {name.partition(".")[0] for _, name in imports(path)}
    assert not modules & FORBIDDEN_MODULES
    found = {(name_of(path), call) for _, call in calls(path) if call in FORBIDDEN_CALLS}
    assert not found - SENT_BY_RAY
    assert "allow_pickle=True" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", [path for path in FILES if part_of(path) not in ("cli", "app")], ids=name_of
)
def test_library_does_not_print(path: Path) -> None:
    assert not [call for call in calls(path) if call[1] in ("print", "sys.stdout.write")]
