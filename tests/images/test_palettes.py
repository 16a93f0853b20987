"""No two early colors look alike, measured with published models of vision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from skimage.color import rgb2lab

from segmint.errors import UsageError
from segmint.images import OUTSIDE_COLOR, color_of, colors_of, palette, to_hex

Floats = npt.NDArray[np.float64]

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)


def seen(colors: npt.NDArray[np.uint8], vision: Floats) -> Floats:
    encoded = colors / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    light = np.clip(linear @ vision.T, 0, 1)
    again = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return rgb2lab(again)


@pytest.mark.parametrize("vision", [np.eye(3), DEUTERANOPIA, PROTANOPIA])
@pytest.mark.parametrize(("count", "least"), [(12, 17.0), (20, 15.0), (32, 10.0)])
def test_early_colors_differ(vision: Floats, count: int, least: float) -> None:
    lab = seen(palette()[:count], vision)
    distances = np.linalg.norm(lab[:, np.newaxis] - lab, axis=-1)
    assert distances[~np.eye(count, dtype=bool)].min() > least


def test_all_colors_are_distinct_and_fixed() -> None:
    colors = palette()
    assert len({tuple(color) for color in colors.tolist()}) == 256
    assert tuple(colors[255].tolist()) == OUTSIDE_COLOR
    assert not colors.flags.writeable


def test_colors_of_ids() -> None:
    ids = np.array([[0, 7], [254, 255], [-1, 300]])
    found = colors_of(ids)
    assert found.shape == (3, 2, 3)
    for label, color in zip(ids.ravel(), found.reshape(-1, 3), strict=True):
        expected = OUTSIDE_COLOR if label < 0 else color_of(int(label))
        assert tuple(color.tolist()) == expected
    assert color_of(255) == color_of(0)
    assert to_hex(color_of(1)) == "#e69f00"
    with pytest.raises(UsageError, match="id is -1"):
        color_of(-1)
