from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segmint.datasets.dataset import Dataset
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.sample import Sample
from segmint.datasets.transform_options import NORMALIZATIONS, TransformOptions
from segmint.errors import InputError, UsageError

DatasetOf = Callable[..., Dataset]

PLAIN = Preprocessing(mean=(0.0, 0.0, 0.0), deviation=(1.0, 1.0, 1.0))
STORED: Mapping[str, Any] = {
    "resize": 12,
    "normalization": "dataset",
    "mean": [0.25, 0.5],
    "deviation": [0.125, 2],
}


def picture(channels: int, dtype: type = np.uint8, *, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    values = rng.random((20, 30, channels)) * (250 if np.dtype(dtype).kind in "iu" else 1)
    return Sample(image=values.astype(dtype), mask=np.zeros((20, 30), np.uint8), name="x.png")


def options(normalization: str, resize: int = 0) -> TransformOptions:
    return TransformOptions(normalization=normalization, resize=resize)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 5, 13])
def test_normalization_by_the_data_set(dataset_of: DatasetOf, channels: int, dtype: type) -> None:
    samples = [picture(channels, dtype, seed=seed) for seed in range(3)]
    pooled = np.concatenate([s.image.reshape(-1, channels).astype(np.float64) for s in samples])
    preprocessing = Preprocessing.measured(dataset_of(samples), options("dataset"))
    found = preprocessing.tensor(samples[1].image)
    expected = (samples[1].image.astype(np.float64) - pooled.mean(axis=0)) / pooled.std(axis=0)
    assert found.dtype == torch.float32
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert np.allclose(found[0].permute(1, 2, 0), expected, atol=1e-4)


def test_normalization_by_imagenet(dataset_of: DatasetOf) -> None:
    from segmint.torchvision_operators import declare_operators

    declare_operators()
    from torchvision.transforms.v2 import functional

    sample = picture(3)
    found = Preprocessing.measured(dataset_of([sample]), options("imagenet")).tensor(sample.image)
    scaled = torch.from_numpy(sample.image).permute(2, 0, 1) / 255
    expected = functional.normalize(scaled, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    assert torch.allclose(found[0], expected, atol=1e-5)


def test_imagenet_has_three_channels(dataset_of: DatasetOf) -> None:
    with pytest.raises(UsageError, match="3 channels, but the images of held have 5"):
        Preprocessing.measured(dataset_of([picture(5)]), options("imagenet"))


def test_normalization_by_the_image_itself(dataset_of: DatasetOf) -> None:
    preprocessing = Preprocessing.measured(dataset_of([picture(2)]), options("image"))
    for seed in range(3):
        found = preprocessing.tensor(picture(2, np.uint16, seed=seed).image).double()
        assert torch.allclose(found.mean(dim=(0, 2, 3)), torch.zeros(2).double(), atol=1e-6)
        assert torch.allclose(found.std(dim=(0, 2, 3), correction=0), torch.ones(2).double())


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_unit_divides_by_the_type_alone(dataset_of: DatasetOf, dtype: type, full: int) -> None:
    sample = picture(1, dtype)
    found = Preprocessing.measured(dataset_of([sample]), options("unit")).tensor(sample.image)
    assert np.allclose(found[0, 0], sample.image[..., 0] / full, atol=1e-7)


@pytest.mark.parametrize("normalization", ["dataset", "image"])
def test_a_channel_of_one_value_becomes_zero(dataset_of: DatasetOf, normalization: str) -> None:
    flat = Sample(image=np.full((5, 5, 1), 77, np.uint8), mask=np.zeros((5, 5), np.uint8))
    preprocessing = Preprocessing.measured(dataset_of([flat]), options(normalization))
    assert torch.equal(preprocessing.tensor(flat.image), torch.zeros(1, 1, 5, 5))


def test_what_is_resized_and_enlarged_again_lies_where_it_was() -> None:
    y, x = np.mgrid[:90, :130]
    ramp = (0.3 * y + 0.7 * x)[..., np.newaxis]
    preprocessing = Preprocessing(resize=40, mean=(0.0,), deviation=(1.0,))
    small = preprocessing.tensor(ramp)
    assert small.shape[2:] == preprocessing.size(90, 130) == (40, 57)
    again = torch.nn.functional.interpolate(small, size=(90, 130), mode="bilinear")
    inner = (slice(5, -5), slice(5, -5))
    assert np.abs(again[0, 0].numpy() - ramp[..., 0])[inner].max() < 0.05


def test_a_sample_at_the_size_of_the_network_is_not_copied() -> None:
    sample = picture(3)
    assert PLAIN.resized(sample) is sample


def test_image_mask_and_region_are_resized() -> None:
    sample = replace(picture(3), region=np.ones((20, 30), np.bool_))
    small = replace(PLAIN, resize=10).resized(sample)
    assert small.image.shape == (10, 15, 3)
    assert small.mask.shape == (10, 15)
    assert small.region is not None
    assert small.region.shape == (10, 15)
    assert small.name == "x.png"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    sample = picture(3, np.float32)
    sample.image[3, 4, 1] = value
    with pytest.raises(InputError, match=r"x\.png: image holds 1 values that are NaN or infinite"):
        PLAIN.resized(sample)
    with pytest.raises(InputError, match=r"image holds 1 values"):
        PLAIN.tensor(sample.image)


def test_what_overflows_is_refused() -> None:
    with pytest.raises(InputError, match="too large after normalization"):
        PLAIN.tensor(np.full((2, 2, 3), 1e200))


@pytest.mark.parametrize("value", [1e38, -3e38])
@pytest.mark.parametrize("normalization", ["dataset", "imagenet"])
def test_what_overflows_is_told_in_one_sentence(value: float, normalization: str) -> None:
    """No warning comes before it, and it does not advise what is so already."""
    preprocessing = Preprocessing(normalization=normalization, mean=(0.5,), deviation=(1e-3,))
    pixels = np.full((2, 2, 1), value, np.float32)
    with pytest.raises(InputError, match=r"^x\.npy holds values up to .*, which are") as caught:
        preprocessing.normalized(pixels, name="x.npy")
    assert ("--normalization dataset" in str(caught.value)) == (normalization != "dataset")


@pytest.mark.parametrize("shape", [(4, 4, 1), (4, 4, 4), (4, 4)])
def test_other_channels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"y\.png has shape .*, accepted is \(H, W, 3\)"):
        PLAIN.tensor(np.zeros(shape, np.uint8), name="y.png")


@pytest.mark.parametrize("part", ["mask", "region"])
def test_parts_of_another_size_are_refused(part: str) -> None:
    sample = replace(picture(3), **{part: np.zeros((20, 29), np.uint8)})
    with pytest.raises(InputError, match=rf"{part} of x\.png is 20x29, its image is 20x30"):
        PLAIN.resized(sample)


@given(
    resize=st.integers(0, 2000),
    normalization=st.sampled_from(NORMALIZATIONS),
    numbers=st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6)), min_size=1, max_size=13
    ),
)
def test_what_is_stored_comes_back(
    resize: int, normalization: str, numbers: list[tuple[float, float]]
) -> None:
    mean, deviation = zip(*numbers, strict=True)
    made = Preprocessing(resize=resize, normalization=normalization, mean=mean, deviation=deviation)
    assert Preprocessing.from_mapping(json.loads(json.dumps(made.as_dict()))) == made


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resize": -1}, "resize is -1"),
        ({"resize": True}, "resize is True"),
        ({"normalization": "zscore"}, "normalization is 'zscore', accepted is one of dataset"),
        ({"normalization": []}, r"normalization is \[\]"),
        ({"mean": []}, r"mean is \[\]"),
        ({"mean": "ab"}, "mean is 'ab'"),
        ({"mean": [0.5, 10**400]}, "mean is .*accepted is a finite number"),
        ({"resize": 10**9}, "resize is 1000000000"),
        ({5: 1}, "entries 5, deviation, mean, normalization, resize"),
        ({"mean": [0.1, None]}, "mean is .*None"),
        ({"mean": [0.1, float("nan")]}, "mean is .*nan"),
        ({"mean": [0.1]}, "for each of the 1 channels"),
        ({"deviation": [0.1, 0]}, "a number above 0"),
        ({"other": 1}, "entries deviation, mean, normalization, other, resize"),
    ],
)
def test_what_is_stored_wrongly_is_refused(changes: Mapping[Any, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Preprocessing.from_mapping({**STORED, **changes})


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="entries none, accepted are exactly resize, norm"):
        Preprocessing.from_mapping({})
