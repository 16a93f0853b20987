from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import UsageError
from segmint.methods.method import Task
from segmint.solvers.reduction import to_input, working_batch, working_size

CPU = torch.device("cpu")


@given(height=st.integers(1, 3000), width=st.integers(1, 3000), pixels=st.integers(0, 10**6))
def test_working_size(height: int, width: int, pixels: int) -> None:
    rows, columns = working_size((height, width, 3), pixels)
    assert 1 <= rows <= height
    assert 1 <= columns <= width
    if pixels == 0 or height * width <= pixels:
        assert (rows, columns) == (height, width)
    elif min(rows, columns) > 10:
        assert rows * columns == pytest.approx(pixels, rel=0.1)
        assert rows / columns == pytest.approx(height / width, rel=0.1)


def test_to_input() -> None:
    image = np.random.default_rng(0).random((4, 5, 3), np.float32)
    tensor = to_input(image, CPU)
    assert tensor.shape == (1, 3, 4, 5)
    assert tensor.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(tensor[0, 2].numpy(), image[..., 2])


def test_thin_scribbles_survive() -> None:
    scribbles = np.full((40, 60), -1, np.int32)
    scribbles[3, 7], scribbles[30, :] = 12, 4
    image = np.zeros((40, 60, 1), np.float32)
    batch, ids = working_batch(image, Task(scribbles=scribbles), 150, CPU)
    assert ids.tolist() == [4, 12]
    assert batch.mask.shape == batch.image[:, 0].shape == (1, 10, 15)
    assert sorted(batch.mask.unique().tolist()) == [0, 1, 255]
    assert (batch.mask[0, 7] == 0).all()
    assert batch.mask[0, 0, 1] == 1


def test_thin_region_survives() -> None:
    region = np.zeros((40, 60), bool)
    region[11, 13] = True
    image = np.full((40, 60, 1), np.nan, np.float32)
    image[region] = 1
    batch, _ = working_batch(image, Task(region=region), 150, CPU)
    assert batch.region.sum() == 1
    assert torch.isfinite(batch.image).all()


def test_too_many_ids() -> None:
    scribbles = np.arange(300, dtype=np.int32).reshape(15, 20)
    with pytest.raises(UsageError, match="scribbles hold 300 ids"):
        working_batch(np.zeros((15, 20, 1), np.float32), Task(scribbles=scribbles), 0, CPU)
