from __future__ import annotations

import json
import subprocess
import sys

import pytest

import segmint
from segmint.cli import commands
from segmint.lazy import lazy_names

HEAVY = {"torch", "scipy", "sklearn", "skimage", "matplotlib", "nibabel"}

REPORT = "import json, sys; sys.stderr.write(json.dumps([code, sorted(sys.modules)]))"


def run_fresh(*statements: str) -> tuple[int, set[str], str]:
    """Exit code, packages loaded and standard output of a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*statements, REPORT])],
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, {module.partition(".")[0] for module in modules}, done.stdout


def test_import_loads_nothing_heavy() -> None:
    _, packages, _ = run_fresh("import segmint", "code = 0")
    assert not packages & (HEAVY | {"numpy"})


@pytest.mark.parametrize(
    "arguments",
    [["--help"], [], ["--version"], ["list"], ["list", "--json"]]
    + [[name, "--help"] for name in commands]
    + [["segment", "--method", "clustering", "--help"]],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code, packages, output = run_fresh(
        "import segmint.cli", f"code = segmint.cli.run({arguments!r})"
    )
    assert code == 0
    assert output.strip()
    assert not packages & HEAVY


def test_every_public_name_is_there() -> None:
    for name in segmint.__all__:
        assert getattr(segmint, name) is not None


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'segmint' has no attribute 'segmnet'"):
        _ = segmint.segmnet


def test_a_name_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    package = sys.modules[__name__]
    monkeypatch.setattr(package, "dumps", None, raising=False)
    assert lazy_names(__name__, {"dumps": "json"}, "dumps") is json.dumps
    assert package.dumps is json.dumps
