from __future__ import annotations

from pathlib import Path

import pytest

from segmint.datasets import available_memory as module
from segmint.datasets.available_memory import available_memory


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of which nothing is known."""
    monkeypatch.setattr(module, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(module, "_GROUP", tmp_path)
    return tmp_path


def test_an_unknown_system_says_nothing(system: Path) -> None:
    assert available_memory() is None
    (system / "meminfo").write_text("MemTotal: 9 kB\n")
    (system / "memory.max").write_text("max\n")
    (system / "memory.current").write_text("7\n")
    assert available_memory() is None


def test_the_machine_says_what_is_left(system: Path) -> None:
    (system / "meminfo").write_text("MemTotal:  9000 kB\nMemAvailable:    3000 kB\n")
    assert available_memory() == 3000 * 1024


def test_a_container_may_have_less(system: Path) -> None:
    (system / "meminfo").write_text("MemAvailable:    3000 kB\n")
    (system / "memory.max").write_text("500000\n")
    (system / "memory.current").write_text("100000\n")
    assert available_memory() == 400_000
