"""Values of region mutual information against explicit loops and the published code."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segmint.objectives.batch import Batch
from segmint.objectives.objective import Objective
from segmint.objectives.rmi import REFERENCE_WINDOWS, rmi_loss

Array = NDArray[Any]
EPSILON = 5e-4

# Zhao et al., the published implementation: pooling, pool size, radius, ignored rows or not,
# value, and norm of the gradient; cross-entropy has no weight.
PUBLISHED = [
    ("none", 1, 3, False, 3.6772050857543945, 0.022813599793142895),
    ("none", 1, 2, False, 4.970789909362793, 0.0034796379102820735),
    ("average", 4, 3, False, -1.5961635112762451, 0.005266031348959129),
    ("average", 4, 2, False, 0.451513409614563, 0.0024057284885975064),
    ("max", 3, 3, False, 1.5411170721054077, 0.029529921316729404),
    ("max", 3, 2, False, 2.4584360122680664, 0.008524179054349644),
    ("average", 2, 3, False, 0.34863150119781494, 0.008575699703196807),
    ("average", 2, 2, False, 2.239354133605957, 0.0029248315628298853),
    ("none", 1, 3, True, 3.8614273071289062, 0.05213135085358443),
    ("none", 1, 2, True, 5.10243034362793, 0.013073131050543222),
    ("average", 4, 3, True, -1.634291648864746, 0.006605038499245836),
    ("average", 4, 2, True, 0.27472615242004395, 0.003182705743541308),
    ("max", 3, 3, True, 1.663339614868164, 0.02902988255348626),
    ("max", 3, 2, True, 2.544159412384033, 0.009726833803801163),
    ("average", 2, 3, True, 0.4374520778656006, 0.014032352206244238),
    ("average", 2, 2, True, 2.189870834350586, 0.003893749991571001),
]
# The same with half the weight on the mean binary cross-entropy, a sum over classes.
PUBLISHED_SUMS = [(3, False, 4.408422470092773), (2, False, 5.055214881896973)]


def published_inputs(*, ignored: bool) -> tuple[Tensor, Tensor]:
    """Logits and mask that the published values were computed on; class 4 is absent."""
    ranges = [torch.arange(float(side), dtype=torch.float64) for side in (2, 5, 48, 64)]
    n, c, h, w = torch.meshgrid(*ranges, indexing="ij")
    logits = 2 * torch.sin(0.3 * h + 0.7 * c + 0.11 * n * w)
    logits = logits + 1.5 * torch.cos(0.21 * w - 0.5 * c + 0.05 * h * n)
    mask = ((torch.floor(h / 12) + torch.floor(w / 16) + n) % 4).long()[:, 0]
    if ignored:
        mask[:, 20:23] = 255
    return logits.float().requires_grad_(), mask


@pytest.mark.parametrize(
    ("pooling", "pool_size", "radius", "ignored", "value", "norm"), PUBLISHED, ids=str
)
def test_published_value(
    pooling: str, pool_size: int, radius: int, ignored: bool, value: float, norm: float
) -> None:
    logits, mask = published_inputs(ignored=ignored)
    found = rmi_loss(
        logits,
        mask,
        radius=radius,
        pooling=pooling,
        pool_size=pool_size,
        normalization="paper",
    )
    (gradient,) = torch.autograd.grad(found, logits)
    # The published code adds 1e-8 inside each logarithm, which is seen where the terms cancel.
    assert found.item() == pytest.approx(value, rel=1e-6, abs=1e-6)
    # Its gradient goes through float32 at several places.
    assert float(gradient.norm()) == pytest.approx(norm, rel=1e-5)


@pytest.mark.parametrize(("radius", "ignored", "value"), PUBLISHED_SUMS)
def test_published_sum_with_cross_entropy(radius: int, ignored: bool, value: float) -> None:
    logits, mask = published_inputs(ignored=ignored)
    one_hot = functional.one_hot(mask, 5).movedim(-1, 1).float()
    entropy = functional.binary_cross_entropy_with_logits(logits, one_hot, reduction="sum")
    # The published mean divides by one pixel too many.
    entropy = entropy / (mask.numel() + 1)
    found = 0.5 * entropy + 0.5 * rmi_loss(logits, mask, radius=radius, normalization="paper")
    assert found.item() == pytest.approx(value, rel=1e-6)


def test_paper_is_the_obvious_code() -> None:
    logits, mask = random_inputs((2, 4, 17, 19), seed=3)
    mask[mask == 2] = 1
    for radius in (1, 2, 3, 4):
        found = rmi_loss(logits, mask, radius=radius, normalization="paper")
        expected = obvious_loss(logits, mask, radius)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)
        torch.testing.assert_close(
            torch.autograd.grad(found, logits),
            torch.autograd.grad(expected, logits),
            rtol=1e-8,
            atol=1e-12,
        )


def obvious_loss(logits: Tensor, mask: Tensor, radius: int) -> Tensor:
    """All classes, all windows stacked, an inverse and a log-determinant."""
    one_hot = functional.one_hot(mask, logits.shape[1]).movedim(-1, 1).double()
    y, p = (
        functional.unfold(maps.flatten(0, 1)[:, None], radius).unflatten(0, (*mask.shape[:1], -1))
        for maps in (one_hot, logits.sigmoid())
    )
    y, p = y - y.mean(dim=-1, keepdim=True), p - p.mean(dim=-1, keepdim=True)
    identity = EPSILON * torch.eye(radius**2, dtype=torch.float64)
    m = y @ y.mT - y @ p.mT @ torch.linalg.inv(p @ p.mT + identity) @ p @ y.mT
    return (0.5 * torch.logdet(m + identity) / radius**2).mean(dim=0).sum()


CASES = [
    ("none", 1, 3, "sigmoid"),
    ("none", 1, 3, "softmax"),
    ("none", 1, 1, "sigmoid"),
    ("none", 1, 4, "softmax"),
    ("average", 2, 2, "sigmoid"),
    ("average", 3, 3, "softmax"),
    ("max", 2, 3, "sigmoid"),
    ("max", 3, 2, "softmax"),
    ("interpolate", 2, 2, "sigmoid"),
    ("interpolate", 3, 2, "softmax"),
]


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize(("pooling", "pool_size", "radius", "activation"), CASES, ids=str)
def test_value_by_loops_over_windows(
    pooling: str, pool_size: int, radius: int, activation: str, ignored: bool
) -> None:
    logits, mask = random_inputs((2, 3, 17, 22), seed=0)
    mask[1][mask[1] == 2] = 0
    if ignored:
        mask[0, 8:10, 3:5] = 255
        mask[1, 0, -1] = 255
    found = rmi_loss(
        logits,
        mask,
        radius=radius,
        pooling=pooling,
        pool_size=pool_size,
        activation=activation,
    )
    expected = looped_loss(
        logits.detach().numpy(), mask.numpy(), radius, pooling, pool_size, activation
    )
    assert found.item() == pytest.approx(expected, rel=1e-8, abs=0)


def looped_loss(
    logits: Array, mask: Array, radius: int, pooling: str, size: int, activation: str
) -> float:
    """The definition, one image, class, square and window at a time."""
    totals = []
    for image, labels in zip(logits, mask, strict=True):
        if activation == "softmax":
            probabilities = np.exp(image) / np.exp(image).sum(axis=0)
        else:
            probabilities = 1 / (1 + np.exp(-image))
        counted = looped_pooling(labels != 255, pooling, size, whole=True)
        starts = [
            (y, x)
            for y in range(counted.shape[0] - radius + 1)
            for x in range(counted.shape[1] - radius + 1)
            if counted[y : y + radius, x : x + radius].all()
        ]
        total = 0.0
        for label in set(labels[labels != 255].tolist()):
            truth = looped_pooling(labels == label, pooling, size)
            prediction = looped_pooling(probabilities[label], pooling, size)
            y, p = (
                np.array([maps[i : i + radius, j : j + radius].ravel() for i, j in starts])
                for maps in (truth, prediction)
            )
            total += looped_pair(y, p, radius**2)
        totals.append(total)
    return float(np.mean(totals))


def looped_pair(y: Array, p: Array, d: int) -> float:
    """M is what a ridge regression of y on p leaves over, a form that subtracts nothing large."""
    scale = np.sqrt(REFERENCE_WINDOWS / len(y))
    y, p = scale * (y - y.mean(axis=0)), scale * (p - p.mean(axis=0))
    p = np.vstack([p, np.sqrt(EPSILON) * np.eye(d)])
    y = np.vstack([y, np.zeros((d, d))])
    left = y - p @ np.linalg.lstsq(p, y, rcond=None)[0]
    return 0.5 * float(np.linalg.slogdet(left.T @ left + EPSILON * np.eye(d))[1]) / d


def looped_pooling(maps: Array, pooling: str, size: int, *, whole: bool = False) -> Array:
    """Squares averaged, their greatest, or a bilinear sample; ``whole`` asks all to be true."""
    if pooling == "none":
        return maps.astype(float)
    height, width = maps.shape[0] // size, maps.shape[1] // size
    found = np.empty((height, width))
    for y, x in itertools.product(range(height), range(width)):
        square = maps[y * size : (y + 1) * size, x * size : (x + 1) * size].astype(float)
        if pooling == "interpolate":
            found[y, x] = sampled(maps, (y + 0.5) / height, (x + 0.5) / width, whole=whole)
        elif whole:
            found[y, x] = square.min()
        else:
            found[y, x] = square.mean() if pooling == "average" else square.max()
    return found


def sampled(maps: Array, down: float, across: float, *, whole: bool) -> float:
    """Bilinear sample at a share of the height and width; ``whole`` takes the least instead."""
    y, x = down * maps.shape[0] - 0.5, across * maps.shape[1] - 0.5
    row, column = math.floor(y), math.floor(x)
    parts = [
        (
            (1 - abs(y - i)) * (1 - abs(x - j)),
            float(maps[min(i, maps.shape[0] - 1), min(j, maps.shape[1] - 1)]),
        )
        for i, j in itertools.product((row, row + 1), (column, column + 1))
    ]
    if whole:
        return min(value for weight, value in parts if weight > 1e-9)
    return sum(weight * value for weight, value in parts)


def random_inputs(shape: tuple[int, int, int, int], *, seed: int) -> tuple[Tensor, Tensor]:
    """Float64 logits that are somewhat right about a blocky mask."""
    generator = torch.Generator().manual_seed(seed)
    images, classes, *sides = shape
    rough = torch.randint(classes, (images, 1, 5, 5), generator=generator).float()
    mask = functional.interpolate(rough, sides, mode="nearest")[:, 0].long()
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    logits = noise + 2.0 * functional.one_hot(mask, classes).movedim(-1, 1)
    return logits.requires_grad_(), mask


def test_is_published_less_constants_at_the_reference_size() -> None:
    logits, mask = random_inputs((1, 3, 129, 129), seed=1)
    mask[mask == 2] = 0
    found = rmi_loss(logits, mask)
    published = rmi_loss(logits, mask, normalization="paper")
    absent = 0.5 * math.log(EPSILON)
    assert (published - found).item() == pytest.approx(absent, abs=1e-9)
    torch.testing.assert_close(
        torch.autograd.grad(found, logits), torch.autograd.grad(published, logits)
    )


def test_does_not_depend_on_the_size() -> None:
    logits, mask = random_inputs((1, 3, 30, 30), seed=2)
    tiled = rmi_loss(logits.tile(1, 1, 5, 5), mask.tile(1, 5, 5), radius=1)
    torch.testing.assert_close(rmi_loss(logits, mask, radius=1), tiled)


def test_pooling_by_one_is_none() -> None:
    logits, mask = random_inputs((1, 3, 9, 9), seed=4)
    expected = rmi_loss(logits, mask)
    for pooling in ("average", "max", "interpolate"):
        torch.testing.assert_close(rmi_loss(logits, mask, pooling=pooling), expected)


def test_interpolated_as_published() -> None:
    logits, mask = random_inputs((1, 3, 20, 20), seed=5)
    found = rmi_loss(logits, mask, pooling="interpolate", pool_size=2, normalization="paper")
    one_hot = functional.one_hot(mask, 3).movedim(-1, 1).double()
    smaller = functional.interpolate(one_hot, (10, 10), mode="nearest").argmax(dim=1)
    sampled = functional.interpolate(
        logits.sigmoid(), (10, 10), mode="bilinear", align_corners=True
    )
    torch.testing.assert_close(found, obvious_loss(sampled.logit(), smaller, 3))


@pytest.mark.parametrize(("radius", "ignored", "value"), PUBLISHED_SUMS)
def test_published_objective(radius: int, ignored: bool, value: float) -> None:
    """Both terms together, as a recipe writes them."""
    logits, mask = published_inputs(ignored=ignored)
    objective = Objective(f"0.5*bce + 0.5*rmi(radius={radius}, normalization=paper)")
    found = objective(logits, Batch(image=logits.detach()[:, :1], mask=mask))
    # The published mean divides by one pixel too many.
    assert float(found.detach()) == pytest.approx(value, rel=1e-4)
