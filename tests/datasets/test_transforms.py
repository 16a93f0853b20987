from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.sample import Sample
from segmint.datasets.transform_options import AUGMENTATIONS, TransformOptions
from segmint.datasets.transforms import Picture, Transform

CLASSES = 4
MARGIN = 9
"""A pixel so far from every border between classes sees one class alone, however it is blurred
(reach 4) and enlarged."""


def blocks(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """A few classes in large rectangles."""
    coarse = rng.integers(0, CLASSES, (-(-height // 25), -(-width // 25)), dtype=np.uint8)
    return np.kron(coarse, np.ones((25, 25), np.uint8))[:height, :width]


def sample_of(
    seed: int, height: int, width: int, channels: int = 1, dtype: type = np.uint8
) -> Sample:
    """An image whose first channel says the class; others say it, too, each in its own way."""
    rng = np.random.default_rng(seed)
    mask = blocks(rng, height, width)
    full = 1.0 if np.dtype(dtype).kind == "f" else float(np.iinfo(dtype).max)
    slopes = np.linspace(1, -1 if channels > 1 else 1, channels)
    values = 0.5 + slopes * (mask[..., np.newaxis] - 1.5) / 4
    region = mask == mask[0, 0] if seed % 2 else None
    return Sample(image=(values * full).astype(dtype), mask=mask, region=region)


def transform(augmentation: str, crop: int, channels: int, resize: int = 0) -> Transform:
    plain = Preprocessing(
        resize=resize,
        normalization="unit",
        mean=(0.0,) * channels,
        deviation=(1.0,) * channels,
    )
    options = TransformOptions(
        resize=resize, crop=crop, augmentation=augmentation, normalization="unit"
    )
    return Transform(options=options, preprocessing=plain)


def away_from_edges(picture: Picture, margin: int = MARGIN) -> NDArray[np.bool_]:
    """Where all pixels near by have one class."""
    mask, window = np.pad(picture.mask, margin, constant_values=254), 2 * margin + 1
    same = ndimage.minimum_filter(mask, window) == ndimage.maximum_filter(mask, window)
    inner = same[margin:-margin, margin:-margin]
    return np.asarray(inner & (picture.mask != 255))


@given(
    augmentation=st.sampled_from(AUGMENTATIONS),
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(20, 120),
    width=st.integers(20, 120),
    crop=st.sampled_from([0, 40, 64]),
    resize=st.sampled_from([0, 30, 60]),
    channels=st.sampled_from([1, 2, 3, 5, 13]),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32]),
)
def test_image_mask_and_region_move_alike(
    augmentation: str,
    seed: int,
    height: int,
    width: int,
    crop: int,
    resize: int,
    channels: int,
    dtype: type,
) -> None:
    move = transform(augmentation, crop, channels, resize)
    sample = move.preprocessing.resized(sample_of(seed, height, width, channels, dtype))
    picture = move(sample, np.random.default_rng(seed))
    assert picture.image.dtype == np.float32
    assert picture.image.shape == (*picture.mask.shape, channels)
    inner = away_from_edges(picture)
    first = picture.image[..., 0]
    means = [first[inner & (picture.mask == k)] for k in range(CLASSES)]
    seen = [values for values in means if len(values)]
    # Light may have changed, but one class is one value, and the classes are in order.
    assert all(np.ptp(values) < 0.01 for values in seen)
    assert all(a.mean() < b.mean() for a, b in pairwise(seen))
    if sample.region is not None:
        assert picture.region is not None
        assert np.array_equal(picture.region, picture.mask == sample.mask[sample.region][0])


@given(seed=st.integers(0, 10_000), augmentation=st.sampled_from(("none", "flip", "isbi")))
def test_without_changes_of_light_the_value_says_the_class(seed: int, augmentation: str) -> None:
    sample = sample_of(seed, 70, 90)
    picture = transform(augmentation, 48, 1)(sample, np.random.default_rng(seed))
    said = np.rint((picture.image[..., 0] - 0.5) * 4 + 1.5)
    inner = away_from_edges(picture, 1) if augmentation == "isbi" else picture.mask != 255
    assert np.array_equal(said[inner], picture.mask[inner])


@pytest.mark.parametrize("augmentation", ["none", "flip", "strong"])
def test_what_is_padded_counts_nowhere(augmentation: str) -> None:
    sample = Sample(image=np.full((20, 30, 2), 200, np.uint8), mask=np.ones((20, 30), np.uint8))
    picture = transform(augmentation, 90, 2)(sample, np.random.default_rng(0))
    known = picture.mask != 255
    assert 0 < known.sum() < known.size
    assert np.all(picture.mask[known] == 1)
    assert picture.region is not None
    assert np.array_equal(picture.region, known)
    assert np.all(picture.image[~known] == 0)
    assert np.all(picture.image[known] > 0.3)


def test_isbi_repeats_the_border_of_image_and_mask() -> None:
    sample = Sample(image=np.full((40, 40, 1), 200, np.uint8), mask=np.ones((40, 40), np.uint8))
    for seed in range(20):
        picture = transform("isbi", 0, 1)(sample, np.random.default_rng(seed))
        assert np.all(picture.mask == 1)
        assert np.allclose(picture.image, 200 / 255)
        assert picture.region is None


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_the_sample_stays_and_may_be_read_only(augmentation: str) -> None:
    sample = sample_of(1, 50, 40, 2, np.float32)
    before = sample.image.copy(), sample.mask.copy()
    for array in (sample.image, sample.mask, sample.region):
        assert array is not None
        array.flags.writeable = False
    transform(augmentation, 64, 2)(sample, np.random.default_rng(0))
    assert np.array_equal(sample.image, before[0])
    assert np.array_equal(sample.mask, before[1])


def test_the_study_cuts_whole_pixels_out() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (234, 312, 3), dtype=np.uint8)
    sample = Sample(image=pixels, mask=np.zeros((234, 312), np.uint8))
    picture = transform("none", 224, 3, 234)(sample, np.random.default_rng(4))
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (224, 224, 3))[:, :, 0]
    found = np.rint(picture.image * 255).astype(np.uint8)
    matches = (windows[:, :, 0, 0] == found[0, 0]).all(axis=-1)
    assert any(np.array_equal(windows[row, column], found) for row, column in np.argwhere(matches))


def test_a_normalization_by_the_image_sees_the_whole_image() -> None:
    pixels = np.zeros((20, 40, 1), np.uint8)
    pixels[:, 20:] = 100
    preprocessing = Preprocessing(normalization="image", mean=(0.0,), deviation=(1.0,))
    options = TransformOptions(crop=8, augmentation="none", normalization="image")
    move = Transform(options=options, preprocessing=preprocessing)
    sample = Sample(image=pixels, mask=np.zeros((20, 40), np.uint8))
    values = np.concatenate(
        [move(sample, np.random.default_rng(seed)).image.ravel() for seed in range(9)]
    )
    assert set(np.unique(values)) == {-1.0, 1.0}
