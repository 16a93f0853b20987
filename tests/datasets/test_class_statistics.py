from __future__ import annotations

import numpy as np
import pytest

from segmint.datasets.class_statistics import class_statistics
from segmint.images import Image


def image(seed: int, side: int) -> Image:
    generator = np.random.default_rng(seed)
    mask = generator.choice([0, 1, 2, 255], (side, side)).astype(np.int32)
    return Image(
        pixels=generator.normal(3, 2, (side, side, 2)).astype(np.float32),
        region=mask != 255,
        mask=mask,
        channel_names=("a", "b"),
        class_names=("x", "y", "z"),
    )


def test_pixels_of_all_images_are_taken_together() -> None:
    images = [image(0, 9), image(1, 5), image(2, 12)]
    found = class_statistics(images)
    for number in range(3):
        values = np.array(
            [
                each.pixels[row, column]
                for each in images
                for row, column in np.argwhere(each.mask == number)
            ],
            np.float64,
        )
        np.testing.assert_allclose(found.means.means[number], values.mean(axis=0))
        np.testing.assert_allclose(found.deviations.means[number], np.sqrt(values.var(axis=0)))
        total = sum(int((each.mask != 255).sum()) for each in images)  # type: ignore[union-attr]
        assert found.shares.means[number, 0] == pytest.approx(len(values) / total)
    assert found.shares.means.sum() == pytest.approx(1)
    assert (found.means.names, found.means.channels) == (("x", "y", "z"), ("a", "b"))
    assert found.shares.channels == ("share",)


def test_of_nothing() -> None:
    with pytest.raises(ValueError, match="no image"):
        class_statistics([])
