from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from segmint.errors import InputError, UsageError
from segmint.mixtures import (
    GaussianMixture,
    SpatiallyVaryingMixture,
    distinct_samples,
    select_components,
)

SAMPLES = np.arange(20.0).reshape(10, 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_components": 0}, "from 1 to 255"),
        ({"n_components": 256}, "from 1 to 255"),
        ({"n_components": 2.5}, "whole number"),
        ({"covariance": "diagonal"}, "did you mean 'diag'"),
        ({"covariance": None}, "unknown covariance None"),
        ({"covariance": 3}, "unknown covariance 3"),
        ({"covariance": ["diag"]}, "unknown covariance"),
        ({"tol": -1}, "tol is -1"),
        ({"tol": float("nan")}, "tol is nan"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"n_init": 0}, "n_init is 0"),
        ({"init": "zeros"}, "'kmeans' or 'random'"),
        ({"min_variance": 0}, "min_variance is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_options(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        GaussianMixture(**options)


@pytest.mark.parametrize("model", [GaussianMixture, SpatiallyVaryingMixture])
@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (np.array([[1.0], [np.nan], [2.0]]), "not finite"),
        (np.array([[1.0], [np.inf], [2.0]], np.float32), "not finite"),
        (np.array([[1.0], [1e200], [2.0]]), "overflow"),
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        (np.zeros((3, 0)), r"shape \(3, 0\)"),
        (np.zeros((3, 2), complex), "complex"),
        (np.array([["a"], ["b"]]), "real numbers"),
        ([[1.0, 2.0], [3.0]], "values are no array: pass rows of numbers of equal length"),
        ([["a", "b"], ["c"]], "values are no array: pass rows of numbers of equal length"),
        (np.zeros((1, 2)), "n_components is 2, more than the 1 samples"),
    ],
)
def test_samples(model: Any, samples: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        model(2).fit(samples)


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (np.ones(9), r"shape \(9,\), accepted is \(10,\)"),
        (np.full(10, -1.0), "negative or not finite"),
        (np.full(10, np.nan), "negative or not finite"),
        (np.zeros(10), "zero everywhere"),
        (np.eye(10)[0], "more than the 1 samples of positive weight"),
        (np.ones(10, complex), "sample_weight is of type complex128, accepted are real numbers"),
        (["heavy"] * 10, "sample_weight is of type <U5, accepted are real numbers"),
        ([1, [2, 3]], "pass rows of numbers of equal length"),
    ],
)
def test_sample_weight(weight: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        GaussianMixture(2).fit(SAMPLES, sample_weight=weight)


@pytest.mark.parametrize("model", [GaussianMixture, SpatiallyVaryingMixture])
@pytest.mark.parametrize(
    ("starts", "says"),
    [
        ({"means_init": np.zeros((3, 2))}, r"means_init has shape \(3, 2\), accepted is \(2, 2\)"),
        ({"means_init": np.full((2, 2), np.nan)}, "not finite"),
        ({"weights_init": [1.0]}, "weights_init has shape"),
        ({"weights_init": [2.0, -1.0]}, "negative"),
        ({"covariances_init": np.ones((2, 3))}, "covariances_init has shape"),
        ({"covariances_init": np.zeros((2, 2))}, "not positive"),
        ({"means_init": [["a", "b"]] * 2}, "means_init is of type <U1, accepted are real numbers"),
        ({"means_init": np.ones((2, 2), complex)}, "means_init is of type complex128"),
        ({"weights_init": ["1", "1"]}, "weights_init is of type <U1, accepted are real numbers"),
        ({"means_init": [[0.0, 1.0], [1e300, 0.0]]}, r"means_init holds 1e\+300, accepted are"),
        ({"means_init": [[0.0, -1.7e308], [3.0, 0.0]]}, "in the samples' units"),
        ({"covariances_init": [[1.0, 1.0], [1e300, 1.0]]}, r"covariances_init holds 1e\+300"),
        ({"means_init": [[1.0, 2.0], [3.0]]}, "pass rows of numbers of equal length"),
    ],
)
def test_starts(model: Any, starts: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        model(2, **starts).fit(SAMPLES)


def test_matrices_that_are_no_covariances() -> None:
    for matrix in ([[1.0, 0.5], [0.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]):
        with pytest.raises(InputError, match="symmetric and positive definite"):
            GaussianMixture(1, covariance="full", covariances_init=[matrix]).fit(SAMPLES)


def test_questions_before_fit_and_other_channels() -> None:
    with pytest.raises(UsageError, match="call fit first"):
        GaussianMixture(2).predict(SAMPLES)
    with pytest.raises(UsageError, match="call fit first"):
        SpatiallyVaryingMixture(2).predict()
    with pytest.raises(InputError, match="3 channels, but the mixture was fitted to 2"):
        GaussianMixture(2).fit(SAMPLES).predict(np.zeros((4, 3)))


@pytest.mark.parametrize("question", ["predict", "predict_proba", "score_samples", "score", "bic"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_questions_about_values_that_are_not_finite(
    question: str, value: float, dtype: Any
) -> None:
    mixture = GaussianMixture(2).fit(SAMPLES)
    samples = np.zeros((100_000, 2), dtype)
    samples[-1, 1] = value
    says = r"not finite \(NaN or infinity\): leave those samples out"
    with pytest.raises(InputError, match=says):
        getattr(mixture, question)(samples)


def test_criteria_refuse_what_is_no_array() -> None:
    mixture: Any = GaussianMixture(2).fit(SAMPLES)
    for criterion in (mixture.bic, mixture.aic):
        with pytest.raises(InputError, match=r"shape \(\)"):
            criterion(5.0)


def test_varying_mixture_knows_no_other_samples() -> None:
    mixture: Any = SpatiallyVaryingMixture(2).fit(SAMPLES)
    with pytest.raises(UsageError, match="no others"):
        mixture.predict(SAMPLES)


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        (None, "pass grid"),
        (np.ones((2, 6), bool), "True in 12 cells, but there are 10 samples"),
        (np.ones((2, 5)), "boolean"),
        (np.ones(10, bool), r"\(H, W\) or \(D, H, W\)"),
    ],
)
def test_grid(grid: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        SpatiallyVaryingMixture(2, smoothing=1.0).fit(SAMPLES, grid=grid)


def test_smoothing_below_zero() -> None:
    with pytest.raises(UsageError, match="smoothing is -1"):
        SpatiallyVaryingMixture(2, smoothing=-1)


def test_ragged_pixels() -> None:
    with pytest.raises(InputError, match="pass rows of numbers of equal length"):
        distinct_samples([[1, 2], [3]])


@pytest.mark.parametrize("pixels", [np.zeros((4, 2)), np.zeros((2, 2, 2), int), np.zeros(0, int)])
def test_pixels(pixels: Any) -> None:
    with pytest.raises(InputError, match="accepted are integers"):
        distinct_samples(pixels)


def test_range_of_components() -> None:
    with pytest.raises(UsageError, match="low may not exceed high"):
        select_components(SAMPLES, low=3, high=2)


@pytest.mark.parametrize("name", ["foo", "n_components", "n_inits"])
def test_options_of_the_selection(name: str) -> None:
    with pytest.raises(UsageError, match=f"no option '{name}' beside low and high: .*n_init"):
        select_components(SAMPLES, low=1, high=2, **{name: 3})


@pytest.mark.parametrize("model", [GaussianMixture, SpatiallyVaryingMixture])
@pytest.mark.parametrize("device", [None, 3])
def test_devices(model: Any, device: Any) -> None:
    with pytest.raises(UsageError, match=f"device is {device}"):
        model(2, device=device).fit(SAMPLES)


@pytest.mark.parametrize("model", [GaussianMixture, SpatiallyVaryingMixture])
@pytest.mark.parametrize(
    ("name", "value"), [("n_components", 0), ("max_iter", 0), ("tol", np.nan), ("init", "zeros")]
)
def test_options_that_were_changed(model: Any, name: str, value: Any) -> None:
    mixture = model(2)
    setattr(mixture, name, value)
    with pytest.raises(UsageError, match=name):
        mixture.fit(SAMPLES)


def test_own_options_that_were_changed() -> None:
    mixture: Any = GaussianMixture(2)
    mixture.covariance = "diagonal"
    with pytest.raises(UsageError, match="did you mean 'diag'"):
        mixture.fit(SAMPLES)
    varying = SpatiallyVaryingMixture(2)
    varying.smoothing = -1
    with pytest.raises(UsageError, match="smoothing is -1"):
        varying.fit(SAMPLES)


@pytest.mark.parametrize("model", [GaussianMixture, SpatiallyVaryingMixture])
@pytest.mark.parametrize(
    "tensor", [torch.eye(10).to_sparse(), torch.zeros(10, 2, device="meta")], ids=["sparse", "meta"]
)
def test_tensors_without_an_array(model: Any, tensor: torch.Tensor) -> None:
    with pytest.raises(InputError, match="pass a dense tensor with values"):
        model(2).fit(tensor)


def test_weights_whose_sum_overflows() -> None:
    mixture = GaussianMixture(2).fit(SAMPLES)
    for criterion in (mixture.bic, mixture.aic):
        with pytest.raises(InputError, match=r"up to 1e\+308 whose sum overflows"):
            criterion(SAMPLES, sample_weight=np.full(10, 1e308))
