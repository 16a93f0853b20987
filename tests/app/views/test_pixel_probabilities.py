"""The probabilities of one pixel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.app.views.pixel_probabilities import PROBABILITIES, pixel_probabilities

STORED = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float16)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("views")
    np.save(folder / PROBABILITIES, STORED)
    return folder


@given(x=st.integers(-6, 6), y=st.integers(-6, 6), index=st.integers(-3, 3))
def test_those_of_the_pixel_and_nothing_outside(views: Path, x: int, y: int, index: int) -> None:
    found = pixel_probabilities(views, x, y, index)
    if 0 <= x < 4 and 0 <= y < 3 and 0 <= index < 2:
        assert found == pytest.approx(STORED[index, y, x], abs=1e-4)
    else:
        assert found is None


@pytest.mark.parametrize("place", [-(2**63), 2**31, 2**80])
def test_numbers_that_are_no_places(views: Path, place: int) -> None:
    assert pixel_probabilities(views, place, 0, 0) is None
    assert pixel_probabilities(views, 0, place, 0) is None
    assert pixel_probabilities(views, 0, 0, place) is None


def test_outside_the_region(tmp_path: Path) -> None:
    stored = STORED.copy()
    stored[0, 1, 2] = np.nan
    np.save(tmp_path / PROBABILITIES, stored)
    assert pixel_probabilities(tmp_path, 2, 1, 0) is None
    assert pixel_probabilities(tmp_path, 2, 1, 1) is not None


def test_files_that_are_none(tmp_path: Path) -> None:
    assert pixel_probabilities(tmp_path, 0, 0, 0) is None
    file = tmp_path / PROBABILITIES
    file.write_bytes(b"")
    assert pixel_probabilities(tmp_path, 0, 0, 0) is None
    np.save(file, np.zeros((2, 2)))
    assert pixel_probabilities(tmp_path, 0, 0, 0) is None
    np.save(file, np.array([{"run": "code"}], dtype=object), allow_pickle=True)
    assert pixel_probabilities(tmp_path, 0, 0, 0) is None
    content = (np.save(file, STORED), file.read_bytes())[1]
    file.write_bytes(content[:-10])
    assert pixel_probabilities(tmp_path, 0, 0, 0) is None


def test_it_is_light() -> None:
    """The server imports it, which opens no image and computes nothing."""
    heavy = {"torch", "scipy", "PIL", "skimage", "matplotlib"}
    code = f"import sys, segmint.app.views.pixel_probabilities; print({heavy} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
