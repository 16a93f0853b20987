"""What a process keeps between errands."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from segmint.app.errands.held import Held
from segmint.app.errands.held_images import opened_image


def test_what_was_used_longest_ago_goes_first() -> None:
    held = Held(most=25)
    for key in ("a", "b"):
        held.get(key, lambda key=key: key, size=lambda value: 10)
    held.get("a", lambda: "again", size=lambda value: 10)
    held.get("c", lambda: "c", size=lambda value: 10)
    assert held.get("a", lambda: "new", size=lambda value: 10) == "a"
    assert held.get("b", lambda: "new", size=lambda value: 10) == "new"
    assert len(held) == 2


def test_what_is_too_large_is_not_kept() -> None:
    held = Held(most=5)
    assert held.get("a", lambda: "a", size=lambda value: 6) == "a"
    assert len(held) == 0


def test_what_has_grown_goes_with_the_next() -> None:
    held = Held(most=5)
    grows: list[int] = held.get("a", list, size=len)
    grows.extend(range(6))
    held.get("b", lambda: "b", size=lambda value: 1)
    assert len(held) == 1


def test_a_file_that_was_written_again_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "photo.png"
    for value in (3, 200):
        Pillow.fromarray(np.full((5, 5), value, np.uint8)).save(file)
        os.utime(file, ns=(value, value))
        image = opened_image(file, "visitor.png")
        assert image.pixels.max() == value
        assert image.source == Path("visitor.png")
