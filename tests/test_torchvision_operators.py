from __future__ import annotations

import subprocess
import sys
from importlib.machinery import ModuleSpec

import pytest

from segmint.torchvision_operators import declare_operators


def run(code: str) -> str:
    """In a process of its own, for what is imported first decides."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_libraries_import_after_it() -> None:
    code = (
        "from segmint.torchvision_operators import declare_operators\n"
        "declare_operators(); declare_operators()\n"
        "import torchvision.transforms.v2, torchmetrics, torch\n"
        "print(hasattr(torch.ops.torchvision, 'nms'))"
    )
    assert run(code) == "True"


def test_without_a_call_nothing_is_loaded() -> None:
    code = "import segmint.torchvision_operators, sys; print('torch' in sys.modules)"
    assert run(code) == "False"


def test_another_failure_of_torchvision_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
            if name == "torchvision":
                raise RuntimeError("another failure")
            return None

    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(RuntimeError, match="another failure"):
        declare_operators.__wrapped__()
