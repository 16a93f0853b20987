"""Sizes of memory, as users write them and systems tell them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import UsageError
from segmint.inference import memory_limit
from segmint.inference.memory_limit import MemoryLimit, held_memory


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GiB", 2 * 2**30),
        ("2G", 2 * 2**30),
        ("2gb", 2 * 10**9),
        ("1500MB", 1_500_000_000),
        ("1500 MiB", 1500 * 2**20),
        (" 0.5 TiB ", 2**39),
        (".5k", 512),
        ("3.kb", 3000),
        ("2e9", 2_000_000_000),
        ("7", 7),
        ("7B", 7),
        ("1.9", 1),
        ("1e3K", 1024_000),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert MemoryLimit.of(text) == MemoryLimit(size)


@pytest.mark.parametrize(
    "text",
    [
        *("", "many", "-2GiB", "0", "0.5", "2 Gi B", "2iB", "2PB", "nan", "inf", "1e99", "9" * 400),
        *("1e999999GiB", "2GiB extra", "2,5GiB", "GiB", "1_000", "0x10"),
    ],
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--max-memory is '.*', accepted is a size such as 2GiB"):
        MemoryLimit.of(text)


@given(text=st.text(alphabet="0123456789.eEkKMGTiIbB +-", max_size=9))
def test_any_text_is_a_size_or_refused(text: str) -> None:
    try:
        assert 1 <= MemoryLimit.of(text).total < 2**63
    except UsageError as error:
        assert "--max-memory" in str(error)


class TestWhatIsLeft:
    @pytest.fixture(autouse=True)
    def _holds_1000(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory_limit, "held_memory", lambda: 1000)

    @pytest.mark.parametrize(
        ("total", "available", "left"),
        [(5000, None, 4000), (5000, 9000, 4000), (5000, 3000, 3000), (900, None, 0), (900, 50, 0)],
    )
    def test_left(
        self, monkeypatch: pytest.MonkeyPatch, total: int, available: int | None, left: int
    ) -> None:
        monkeypatch.setattr(memory_limit, "available_memory", lambda: available)
        assert MemoryLimit(total).left() == left

    @pytest.mark.parametrize(("available", "total"), [(6000, 4000), (None, 1000 + 2 * 2**30)])
    def test_half_of_what_is_free(
        self, monkeypatch: pytest.MonkeyPatch, available: int | None, total: int
    ) -> None:
        monkeypatch.setattr(memory_limit, "available_memory", lambda: available)
        assert MemoryLimit.of(None) == MemoryLimit(total)


HELD = """
import numpy as np
from segmint.inference.memory_limit import held_memory
before = held_memory()
taken = np.ones(2**25, np.uint8)
print((held_memory() - before) / taken.nbytes)
"""


def test_what_is_held_grows_with_what_is_taken() -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("this system tells only the most that a process held")
    # In a process of its own: here earlier tests left memory behind that is taken again.
    told = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    assert float(told.stdout) > 0.9


def test_systems_that_tell_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory_limit, "_PAGES", tmp_path / "missing")
    resource = pytest.importorskip("resource")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert held_memory() in (most, most // 1024) or held_memory() >= most
    (tmp_path / "damaged").write_text("7")
    monkeypatch.setattr(memory_limit, "_PAGES", tmp_path / "damaged")
    assert held_memory() >= most // 1024
    (tmp_path / "good").write_text("10 4 1")
    monkeypatch.setattr(memory_limit, "_PAGES", tmp_path / "good")
    assert held_memory() == 4 * os.sysconf("SC_PAGE_SIZE")
