from __future__ import annotations

import numpy as np
import pytest

from segmint.errors import UsageError
from segmint.inference import memory_limit
from segmint.inference.memory_limit import MemoryLimit, held_memory


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GiB", 2 * 1024**3),
        ("1500MB", 1500 * 10**6),
        ("1.5 GiB", 3 * 2**29),
        ("4g", 4 * 2**30),
        ("300 MiB", 300 * 2**20),
        ("2e9", 2 * 10**9),
        ("7kb", 7000),
        (".5TB", 5 * 10**11),
        ("123456 B", 123456),
    ],
)
def test_sizes_people_write(text: str, size: int) -> None:
    assert MemoryLimit.of(text).total == size


@pytest.mark.parametrize("text", ["", "much", "-2GiB", "0", "2 GiBs", "nan", "1e400", "2,5GB"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="accepted is a size such as 2GiB"):
        MemoryLimit.of(text)


def test_no_text_is_half_of_what_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limit, "available_memory", lambda: 10 * 2**30)
    left = MemoryLimit.of(None).left()
    assert abs(left - 5 * 2**30) < 2**26
    monkeypatch.setattr(memory_limit, "available_memory", lambda: None)
    assert abs(MemoryLimit.of(None).left() - 2 * 2**30) < 2**26


def test_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limit, "available_memory", lambda: 2**40)
    limit = MemoryLimit(held_memory() + 2**30)
    before = limit.left()
    block = np.ones(2**27, np.uint8)
    assert 0.8 * block.nbytes < before - limit.left() < 1.2 * block.nbytes
    assert MemoryLimit(1).left() == 0
    monkeypatch.setattr(memory_limit, "available_memory", lambda: 1000)
    assert limit.left() == 1000
