from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from segmint.datasets.channel_statistics import channel_statistics, mean_and_deviation
from segmint.datasets.dataset import Dataset
from segmint.datasets.sample import Sample
from segmint.errors import InputError

DatasetOf = Callable[..., Dataset]


def sample(rng: np.random.Generator, height: int, width: int, *, part: bool = False) -> Sample:
    return Sample(
        image=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        mask=np.zeros((height, width), np.uint8),
        region=rng.random((height, width)) < 0.3 if part else None,
        name="one.png",
    )


def test_the_pixels_of_all_images_are_pooled(dataset_of: DatasetOf) -> None:
    rng = np.random.default_rng(0)
    samples = [sample(rng, 9, 14), sample(rng, 20, 3, part=True), sample(rng, 11, 11)]
    pixels = [
        (s.image if s.region is None else s.image[s.region]).reshape(-1, 3) / 255 for s in samples
    ]
    pooled = np.concatenate(pixels)
    found = channel_statistics(dataset_of(samples))
    assert np.allclose(found.means, pooled.mean(axis=0), rtol=1e-12)
    assert np.allclose(found.deviations, pooled.std(axis=0), rtol=1e-12)


def test_far_from_zero_nothing_cancels(dataset_of: DatasetOf) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(2, 30, 30, 1)) + 1e7
    samples = [Sample(image=each, mask=np.zeros((30, 30), np.uint8)) for each in values]
    found = channel_statistics(dataset_of(samples))
    assert np.allclose(found.deviations, values.std(), rtol=1e-6)


def test_only_so_many_images_are_looked_at(dataset_of: DatasetOf) -> None:
    rng = np.random.default_rng(2)
    samples = [sample(rng, 5, 5) for _ in range(6)]
    found = channel_statistics(dataset_of(samples), most_images=2)
    expected = channel_statistics(dataset_of([samples[0], samples[3]]))
    assert np.array_equal(found.means, expected.means)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_one_image_against_numpy(dtype: type) -> None:
    pixels = (np.random.default_rng(3).random((17, 5, 4)) * 200).astype(dtype)
    mean, deviation = mean_and_deviation(pixels)
    assert np.allclose(mean, pixels.astype(np.float64).mean(axis=(0, 1)), rtol=1e-12)
    assert np.allclose(deviation, pixels.astype(np.float64).std(axis=(0, 1)), rtol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_an_image_without_finite_statistics_is_named(dataset_of: DatasetOf, value: float) -> None:
    image = np.zeros((4, 4, 1))
    image[2, 2] = value
    broken = Sample(image=image, mask=np.zeros((4, 4), np.uint8), name="broken.npy")
    with pytest.raises(InputError, match=r"broken\.npy has no finite mean"):
        channel_statistics(dataset_of([broken]))


def test_other_channels_are_named(dataset_of: DatasetOf) -> None:
    rng = np.random.default_rng(0)
    grey = Sample(
        image=np.zeros((4, 4, 1), np.uint8), mask=np.zeros((4, 4), np.uint8), name="grey.png"
    )
    with pytest.raises(InputError, match=r"grey\.png has 1 channels, but the data set has 3"):
        channel_statistics(dataset_of([sample(rng, 4, 4), grey]))


def test_no_pixel_to_measure_is_refused(dataset_of: DatasetOf) -> None:
    nowhere = Sample(
        image=np.zeros((4, 4, 1), np.uint8),
        mask=np.zeros((4, 4), np.uint8),
        region=np.zeros((4, 4), np.bool_),
    )
    with pytest.raises(InputError, match="no pixels in split train"):
        channel_statistics(dataset_of([nowhere]))
