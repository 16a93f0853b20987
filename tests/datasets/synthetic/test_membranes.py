from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from segmint.datasets import open as open_dataset
from segmint.datasets import recognize
from segmint.datasets.synthetic import draw_membranes, write_membranes
from segmint.errors import UsageError


def test_membranes_part_the_cells() -> None:
    found = draw_membranes(96, 128, slices=2, seed=1)
    assert (found.images.dtype, found.images.shape) == (np.uint8, (2, 96, 128))
    assert (found.numbers.dtype, found.numbers.shape) == (np.int32, (2, 96, 128))
    assert np.array_equal(found.labels == 255, found.numbers > 0)
    for numbers in found.numbers:
        below, beside = numbers[1:], numbers[:, 1:]
        assert not ((below != numbers[:-1]) & (below > 0) & (numbers[:-1] > 0)).any()
        assert not ((beside != numbers[:, :-1]) & (beside > 0) & (numbers[:, :-1] > 0)).any()


def test_membranes_are_darker_but_no_threshold_finds_them_all() -> None:
    found = draw_membranes(192, 192, slices=1, seed=0)
    cell = found.numbers[0] > 0
    image = found.images[0].astype(float)
    assert image[cell].mean() - image[~cell].mean() > 40
    right = [((image > threshold) == cell).mean() for threshold in range(256)]
    assert 0.75 < max(right) < 0.93


@pytest.mark.parametrize("cell_size", [24.0, 40.0])
def test_cells_have_the_size_asked_for(cell_size: float) -> None:
    found = draw_membranes(400, 400, slices=1, cell_size=cell_size, seed=2)
    cells, _ = ndimage.label(found.numbers[0] > 0)
    count = len(np.unique(found.numbers)) - 1
    # Cells that the edges of the picture cut are counted whole.
    assert (400 / cell_size) ** 2 * 0.9 < count < (400 / cell_size + 1.5) ** 2
    assert cells.max() >= count


def test_neighboring_slices_look_alike() -> None:
    numbers = draw_membranes(160, 160, slices=8, seed=3).numbers
    same = [(numbers[0] == each).mean() for each in numbers]
    assert same[1] > 0.7
    assert same[1] > same[7]


def test_the_seed_decides_everything_and_more_slices_change_none() -> None:
    first = draw_membranes(64, 64, slices=2, seed=1)
    longer = draw_membranes(64, 64, slices=3, seed=1)
    assert np.array_equal(first.images, longer.images[:2])
    assert np.array_equal(first.numbers, longer.numbers[:2])
    assert not np.array_equal(first.images, draw_membranes(64, 64, slices=2, seed=2).images)


def test_the_noise_has_the_deviation_asked_for() -> None:
    quiet = draw_membranes(128, 128, slices=1, noise=0, seed=4)
    loud = draw_membranes(128, 128, slices=1, noise=7, seed=4)
    middle = (quiet.images > 35) & (quiet.images < 220)
    difference = loud.images.astype(float) - quiet.images
    assert difference[middle].std() == pytest.approx(7, rel=0.05)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"height": 63}, "63x256"),
        ({"slices": 0}, "slices is 0"),
        ({"cell_size": 11.0}, "cell_size is 11.0"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"noise": float("nan")}, "noise is nan"),
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        draw_membranes(**wrong)  # type: ignore[arg-type]


def test_written_slices_are_isbi2012(tmp_path: Path) -> None:
    drawn = write_membranes(tmp_path, test=1, height=64, width=80, slices=6, seed=5)
    assert recognize(tmp_path) == "isbi2012"
    splits = {name: open_dataset("isbi2012", tmp_path, split=name) for name in ("train", "test")}
    val = open_dataset("isbi2012", tmp_path, split="val")
    assert [len(each) for each in (*splits.values(), val)] == [4, 1, 1]
    for index, sample in enumerate((*splits["train"], *val)):
        assert np.array_equal(sample.image[..., 0], drawn.images[index])
        assert np.array_equal(sample.mask == 1, drawn.numbers[index] > 0)
    assert np.array_equal(splits["test"][0].image[..., 0], drawn.images[5])


@pytest.mark.parametrize("test", [-1, 2])
def test_some_slices_must_be_there_to_learn_from(tmp_path: Path, test: int) -> None:
    with pytest.raises(UsageError, match=f"test is {test} of 2 slices"):
        write_membranes(tmp_path, test=test, height=64, width=64, slices=2)
