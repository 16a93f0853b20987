"""Refusals, one sentence each: options, samples, weights and starts that cannot be used."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from segmint.devices import choose_device, device_name
from segmint.errors import InputError, UsageError

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike, NDArray

MAX_COMPONENTS = 255
"""As many as 8-bit labels can name beside "outside"."""
STARTS = ("kmeans", "random")


def check_options(
    n_components: int, tol: float, max_iter: int, init: str, min_variance: float, seed: int
) -> None:
    """Refuse what no mixture can be fitted with.

    Raises:
        UsageError: names the option, what was given and what is accepted.
    """
    check_whole("n_components", n_components, 1, MAX_COMPONENTS)
    check_whole("max_iter", max_iter, 1, 2**31 - 1)
    check_whole("seed", seed, 0, 2**32 - 1)
    check_number("tol", tol, 0.0)
    check_number("min_variance", min_variance, 1e-12)
    if init not in STARTS:
        raise UsageError(f"init is {init!r}, accepted is {' or '.join(map(repr, STARTS))}")


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """Refuse what is no whole number in a range."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise UsageError(f"{name} is {value!r}, accepted is a whole number from {low} to {high}")


def check_number(name: str, value: Any, low: float) -> None:
    """Refuse what is no finite number, or below a bound."""
    if not isinstance(value, numbers.Real) or not math.isfinite(value) or value < low:
        raise UsageError(f"{name} is {value!r}, accepted is a finite number of at least {low:g}")


def as_samples(samples: Any) -> NDArray[Any]:
    """An (N, M) array of numbers, without a copy where there is none to make.

    Raises:
        InputError: for another shape or type, or no samples.
    """
    array = as_array(samples)
    if array.ndim != 2:
        raise InputError(
            f"samples have shape {array.shape}, accepted is (samples, channels): "
            "reshape an image to (-1, channels)"
        )
    if array.dtype.kind not in "biuf":
        raise InputError(f"samples are of type {array.dtype}, accepted are real numbers")
    if 0 in array.shape:
        raise InputError(f"samples have shape {array.shape}, accepted is at least one of one value")
    return array


def as_array(values: Any) -> NDArray[Any]:
    """A numpy array of an array, a list or a torch tensor on any device.

    Raises:
        InputError: for rows of different lengths, or a tensor that is sparse or without values.
    """
    if hasattr(values, "detach"):
        return _of_tensor(values)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError("values are no array: pass rows of numbers of equal length") from error


def _of_tensor(tensor: torch.Tensor) -> NDArray[Any]:
    try:
        dense = tensor.detach().resolve_conj().resolve_neg().cpu()
        if str(dense.dtype) == "torch.bfloat16":
            dense = dense.float()
        return np.asarray(dense.numpy())
    except (TypeError, RuntimeError) as error:
        raise InputError(
            f"a tensor of {tensor.dtype}, {tensor.layout} and device {tensor.device} is no array: "
            "pass a dense tensor with values"
        ) from error


def as_numbers(name: str, values: Any) -> NDArray[np.float64]:
    """A float64 array of real numbers.

    Raises:
        InputError: for another type.
    """
    array = as_array(values)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} is of type {array.dtype}, accepted are real numbers")
    return np.asarray(array, np.float64)


def as_sample_weight(sample_weight: ArrayLike | None, count: int) -> NDArray[np.float64] | None:
    """(N,) weights in float64, or None.

    Raises:
        InputError: for another type or length, for values that are negative or not finite, for all
            zeros.
    """
    if sample_weight is None:
        return None
    weight = as_numbers("sample_weight", sample_weight)
    if weight.shape != (count,):
        raise InputError(f"sample_weight has shape {weight.shape}, accepted is ({count},)")
    if not np.isfinite(weight).all() or weight.min() < 0:
        raise InputError("sample_weight holds values that are negative or not finite")
    if weight.max() == 0:
        raise InputError("sample_weight is zero everywhere: there is nothing to fit")
    return weight


def counted(
    samples: NDArray[Any], weight: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The samples of positive weight, with weights up to 1."""
    weight = weight / weight.max()
    positive = weight > 0
    return (samples, weight) if positive.all() else (samples[positive], weight[positive])


def as_start(name: str, values: ArrayLike | None, *shapes: tuple[int, ...]) -> Any:
    """A float64 array of one of the shapes, or None.

    Raises:
        InputError: for another type or shape, or values that are not finite.
    """
    if values is None:
        return None
    array = as_numbers(name, values)
    if array.shape not in shapes:
        accepted = " or ".join(map(str, shapes))
        raise InputError(f"{name} has shape {array.shape}, accepted is {accepted}")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds values that are not finite")
    return array


def as_start_weights(values: ArrayLike | None, *shapes: tuple[int, ...]) -> Any:
    """As :func:`as_start`, for weights: none negative, and each row is made to sum to 1."""
    weights = as_start("weights_init", values, *shapes)
    if weights is None:
        return None
    total = weights.sum(axis=-1, keepdims=True)
    if weights.min() < 0 or total.min() <= 0:
        raise InputError("weights_init holds negative values, or only zeros for a sample")
    return weights / total


def total_weight(weight: NDArray[np.float64]) -> float:
    """The sum of weights.

    Raises:
        InputError: when it is beyond the range of float64.
    """
    with np.errstate(over="ignore"):
        total = float(weight.sum())
    if not math.isfinite(total):
        raise InputError(
            f"sample_weight holds values up to {weight.max():g} whose sum overflows: "
            "divide all of them by the same number"
        )
    return total


def as_grid(grid: ArrayLike | None, count: int) -> NDArray[np.bool_] | None:
    """A boolean grid of so many samples, or None.

    Raises:
        InputError: for another type, shape or number of True cells.
    """
    if grid is None:
        return None
    array = as_array(grid)
    if array.dtype != np.bool_ or array.ndim not in (2, 3):
        raise InputError(
            f"grid is of type {array.dtype} and shape {array.shape}, accepted is boolean, "
            "(H, W) or (D, H, W)"
        )
    if int(array.sum()) != count:
        raise InputError(f"grid is True in {int(array.sum())} cells, but there are {count} samples")
    return array


def check_enough(components: int, count: int) -> None:
    """Refuse more components than samples."""
    if components > count:
        raise InputError(
            f"n_components is {components}, more than the {count} samples of positive weight: "
            f"ask for at most {count}"
        )


def computing_device(device: str | torch.device) -> torch.device:
    """The device of that name that has float64; ``auto`` takes CUDA, then the processor.

    Raises:
        UsageError: for a device that is unknown, absent or without float64.
    """
    name = device_name(device)
    chosen = choose_device(name)
    if chosen.type != "mps":
        return chosen
    if name == "auto":
        return choose_device("cpu")
    raise UsageError(f"device {name!r} has no float64, which mixtures need: use auto or cpu")
