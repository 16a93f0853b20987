from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy import ndimage
from skimage.measure import regionprops

from segmint.datasets import open as open_dataset
from segmint.datasets.synthetic import draw_cells, write_cells
from segmint.datasets.synthetic.cells import CLASSES, COLORS
from segmint.errors import UsageError


@pytest.mark.parametrize("seed", range(3))
def test_every_cell_is_one_area_of_one_kind(seed: int) -> None:
    found = draw_cells(128, 160, cells=25, seed=seed)
    assert (found.image.dtype, found.image.shape) == (np.uint8, (128, 160))
    assert (found.numbers.dtype, found.numbers.shape) == (np.int32, (128, 160))
    assert found.kinds[0] == 0
    assert set(found.kinds[1:].tolist()) == {1, 2}
    assert np.array_equal(found.mask, found.kinds[found.numbers])
    for number in np.unique(found.numbers)[1:].tolist():
        parts, count = ndimage.label(found.numbers == number)
        largest = np.bincount(parts.ravel())[1:].max() if count else 0
        # What lies on top of a cell may cut off a speck of it, no more.
        assert largest >= 0.85 * (found.numbers == number).sum()


def test_round_cells_are_round_and_elongated_ones_are_not() -> None:
    found = draw_cells(256, 256, cells=40, seed=1)
    inside = found.numbers[1:-1, 1:-1]
    cut = {*np.unique(found.numbers)} - {*np.unique(inside)}
    ratios: dict[int, list[float]] = {1: [], 2: []}
    for region in regionprops(found.numbers):
        if region.label not in cut and region.area > 60:
            ratio = region.axis_minor_length / region.axis_major_length
            ratios[int(found.kinds[region.label])].append(ratio)
    assert np.median(ratios[1]) > 0.8
    assert np.median(ratios[2]) < 0.5


def test_some_cells_touch() -> None:
    numbers = draw_cells(192, 192, cells=40, seed=0).numbers
    beside = (numbers[:, 1:] != numbers[:, :-1]) & (numbers[:, 1:] > 0) & (numbers[:, :-1] > 0)
    assert beside.any()


def test_the_seed_decides_everything() -> None:
    first, again, other = (draw_cells(64, 64, cells=8, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.numbers, again.numbers)
    assert not np.array_equal(first.image, other.image)


def test_the_noise_has_the_deviation_asked_for() -> None:
    quiet = draw_cells(128, 128, cells=8, noise=0, seed=4)
    loud = draw_cells(128, 128, cells=8, noise=6, seed=4)
    assert np.array_equal(quiet.mask, loud.mask)
    middle = (quiet.image > 30) & (quiet.image < 220)
    difference = loud.image.astype(float) - quiet.image
    assert difference[middle].std() == pytest.approx(6, rel=0.05)


def test_no_cells_is_ground_alone() -> None:
    found = draw_cells(64, 64, cells=0)
    assert not found.mask.any()
    assert found.kinds.tolist() == [0]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"height": 63}, "63x192"),
        ({"cells": -1}, "cells is -1"),
        ({"cells": 1001}, "cells is 1001"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"noise": float("nan")}, "noise is nan"),
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        draw_cells(**wrong)  # type: ignore[arg-type]


def test_written_cells_are_a_data_set_of_named_classes(tmp_path: Path) -> None:
    write_cells(tmp_path, train=2, val=1, seed=5, height=64, width=80, cells=6)
    train, val = (open_dataset("folder", tmp_path, split=split) for split in ("train", "val"))
    assert (len(train), len(val)) == (2, 1)
    assert train.classes == CLASSES
    assert train.palette.tolist() == [list(color) for color in COLORS]
    assert train.channels == 1
    assert {int(value) for sample in train for value in np.unique(sample.mask)} <= {0, 1, 2}
    images = [sample.image for sample in (*train, *val)]
    assert not any(np.array_equal(images[0], other) for other in images[1:])


def test_a_mask_of_the_data_set_shows_its_colors_in_a_viewer(tmp_path: Path) -> None:
    write_cells(tmp_path, train=1, val=1, height=64, width=64, cells=8)
    mask = np.asarray(Pillow.open(tmp_path / "train" / "masks" / "cells-01.png").convert("RGB"))
    assert {tuple(color) for color in mask.reshape(-1, 3).tolist()} == set(COLORS)


def test_more_pictures_leave_the_first_ones_as_they_are(tmp_path: Path) -> None:
    for count in (1, 2):
        write_cells(tmp_path / str(count), train=count, val=1, height=64, width=64, cells=5)
    name = Path("train/images/cells-01.png")
    assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
