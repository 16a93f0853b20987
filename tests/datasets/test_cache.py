from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from segmint.datasets import cache as module
from segmint.datasets.cache import (
    CachedSamples,
    ResizedSamples,
    cache_sentence,
    cache_size,
    check_cache,
)
from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.sample import Sample
from segmint.datasets.transform_options import TransformOptions
from segmint.errors import InputError, UsageError

DatasetOf = Callable[..., Dataset]


def samples(count: int, dtype: type = np.uint8, *, parts: bool = False) -> list[Sample]:
    """Images of several sizes."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        shape = (20 + 3 * number % 7, 30)
        region = rng.random(shape) < 0.5 if parts and number % 2 else None
        image = (rng.random((*shape, 3)) * 200).astype(dtype)
        mask = rng.integers(0, 4, shape, dtype=np.uint8)
        made.append(Sample(image=image, mask=mask, region=region, name=f"{number}.png"))
    return made


def resized(dataset: Dataset, resize: int) -> ResizedSamples:
    preprocessing = Preprocessing(resize=resize, mean=(0.0,) * 3, deviation=(1.0,) * 3)
    return ResizedSamples(dataset=dataset, preprocessing=preprocessing)


def assert_same(found: Sample, expected: Sample) -> None:
    assert found.name == expected.name
    assert found.image.dtype == expected.image.dtype
    assert np.array_equal(found.image, expected.image)
    assert np.array_equal(found.mask, expected.mask)
    assert (found.region is None) == (expected.region is None)
    if expected.region is not None:
        assert np.array_equal(found.region, expected.region)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
@pytest.mark.parametrize("slab", [10, 2000, 2**20])
def test_what_is_kept_comes_back(
    dataset_of: DatasetOf, monkeypatch: pytest.MonkeyPatch, dtype: type, slab: int
) -> None:
    monkeypatch.setattr(module, "_SLAB", slab)
    source = resized(dataset_of(samples(11, dtype, parts=True)), 12)
    kept = CachedSamples(source)
    assert len(kept) == len(source) == 11
    for found, expected in zip(kept, source, strict=True):
        assert_same(found, expected)
    assert_same(kept[3:5][1], source[4])
    assert_same(source[-1:][0], source[10])
    with pytest.raises(ValueError, match="read-only"):
        kept[0].image[0] = 1


def test_a_copy_for_another_process_holds_the_same(dataset_of: DatasetOf) -> None:
    kept = CachedSamples(resized(dataset_of(samples(3)), 12))
    for found, expected in zip(pickle.loads(pickle.dumps(kept)), kept, strict=True):  # noqa: S301
        assert_same(found, expected)


def test_nothing_is_read_twice(dataset_of: DatasetOf) -> None:
    dataset = dataset_of(samples(5))
    calls: list[str] = []

    def read(pair: Pair) -> Sample:
        calls.append(pair.name)
        return dataset.read(pair)

    kept = CachedSamples(resized(replace(dataset, read=read), 0))
    for _ in range(3):
        list(kept)
    assert sorted(calls) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("resize", [0, 12])
@pytest.mark.parametrize("parts", [False, True])
def test_the_size_is_known_beforehand(dataset_of: DatasetOf, resize: int, parts: bool) -> None:
    dataset = dataset_of(samples(8, np.uint16, parts=parts))
    options = TransformOptions(resize=resize)
    source = resized(dataset, resize)
    exact = sum(
        s.image.nbytes + s.mask.nbytes + (0 if s.region is None else s.region.nbytes)
        for s in source
    )
    assert cache_size(dataset, options) == exact
    # Every array may end up to 15 bytes before the next one begins.
    assert exact <= CachedSamples(source).size <= exact + 8 * 3 * 15


def test_a_few_images_speak_for_all(dataset_of: DatasetOf) -> None:
    one = Sample(image=np.zeros((512, 512, 3), np.uint8), mask=np.zeros((512, 512), np.uint8))
    dataset = dataset_of([one] * 500)
    assert cache_size(dataset, TransformOptions()) == 500 * 2**20
    assert cache_sentence(dataset, TransformOptions()) == "500 images, about 0.49 GiB"
    assert cache_size(dataset, TransformOptions(resize=256)) == 500 * 2**18


def test_more_than_there_is_is_refused(
    dataset_of: DatasetOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = dataset_of(samples(4))
    check_cache(dataset, TransformOptions())
    monkeypatch.setattr(module, "available_memory", lambda: 10)
    with pytest.raises(UsageError, match=r"a cache of 4 images takes about .* GiB, but .* GiB of"):
        check_cache(dataset, TransformOptions())
    monkeypatch.setattr(module, "available_memory", lambda: None)
    check_cache(dataset, TransformOptions())


def test_an_image_that_cannot_be_used_is_named(dataset_of: DatasetOf) -> None:
    several = samples(9, np.float32)
    several[6].image[0, 0] = np.nan
    with pytest.raises(InputError, match=r"6\.png: image holds 3 values"):
        CachedSamples(resized(dataset_of(several), 0))
