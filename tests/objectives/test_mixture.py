from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import Tensor

from segmint.objectives import Batch, Objective, mixture_loss, varying_mixture_loss

LOSSES = [mixture_loss, varying_mixture_loss]
Loss = Callable[..., Tensor]


def random_tensor(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_loops(logits: Tensor, image: Tensor, region: Tensor, *, varying: bool) -> float:
    """The formulas pixel by pixel, densities from SciPy."""
    values = []
    for b in range(len(image)):
        places = np.argwhere(region[b].numpy())
        if not len(places):
            continue
        gamma = np.array([logits[b, :, y, x].softmax(dim=0).numpy() for y, x in places])
        pixels = np.array([image[b, :, y, x].numpy() for y, x in places])
        weights = gamma.mean(axis=0)
        total = 0.0
        means, deviations = np.empty((2, gamma.shape[1], pixels.shape[1]))
        for k in range(gamma.shape[1]):
            for m in range(pixels.shape[1]):
                means[k, m] = np.average(pixels[:, m], weights=gamma[:, k])
                squares = (pixels[:, m] - means[k, m]) ** 2
                deviations[k, m] = math.sqrt(np.average(squares, weights=gamma[:, k]))
        for n, pixel in enumerate(pixels):
            densities = norm.pdf(pixel, means, deviations).prod(axis=1)
            total += math.log(((gamma[n] if varying else weights) * densities).sum())
        values.append(-total / len(pixels))
    return float(np.mean(values))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [(mixture_loss, 3.5256240367889404), (varying_mixture_loss, 3.3300609588623047)],
)
def test_published_values(
    loss: Loss, expected: float, published_mixture: tuple[Tensor, Tensor, Tensor]
) -> None:
    # Of the published code, which adds 1e-10 inside the logarithm.
    assert float(loss(*published_mixture)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize(("components", "channels"), [(1, 1), (3, 1), (2, 4), (5, 3)])
def test_plain_loop(varying: bool, components: int, channels: int) -> None:
    logits = random_tensor(3, components, 4, 5, dtype=torch.float64)
    image = random_tensor(3, channels, 4, 5, seed=1, dtype=torch.float64)
    region = random_tensor(3, 4, 5, seed=2) > 0
    region[1] = False
    found = (varying_mixture_loss if varying else mixture_loss)(logits, image, region)
    assert found.dtype == torch.float64
    assert float(found) == pytest.approx(by_loops(logits, image, region, varying=varying))


@pytest.mark.parametrize("loss", LOSSES)
def test_one_component_is_one_gaussian(loss: Loss) -> None:
    image = random_tensor(1, 2, 6, 7, dtype=torch.float64)
    variances = image.var(dim=(2, 3), correction=0)
    expected = 0.5 * (math.log(2 * math.pi) + 1 + variances.log()).sum()
    found = loss(torch.zeros(1, 1, 6, 7, dtype=torch.float64), image)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("bounded", [False, True])
def test_gradient_by_differences(loss: Loss, bounded: bool) -> None:
    logits = random_tensor(2, 3, 3, 4, dtype=torch.float64).requires_grad_()
    image = random_tensor(2, 2, 3, 4, seed=1, dtype=torch.float64)
    region = random_tensor(2, 3, 4, seed=2) > -0.5 if bounded else None
    assert torch.autograd.gradcheck(lambda values: loss(values, image, region), (logits,))


def test_varying_weights_are_never_less_likely_where_they_are_certain() -> None:
    image = random_tensor(1, 2, 8, 8)
    logits = 100 * random_tensor(1, 3, 8, 8, seed=1)
    assert varying_mixture_loss(logits, image) <= mixture_loss(logits, image)


@pytest.mark.parametrize("loss", LOSSES)
class TestFinite:
    def check(self, loss: Loss, logits: Tensor, image: Tensor) -> None:
        logits = logits.clone().requires_grad_()
        value = loss(logits, image)
        (gradient,) = torch.autograd.grad(value, logits)
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()

    @pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
    def test_huge_logits(self, loss: Loss, size: float) -> None:
        self.check(loss, size * random_tensor(1, 4, 6, 7), random_tensor(1, 3, 6, 7, seed=1))

    def test_empty_component(self, loss: Loss) -> None:
        logits = random_tensor(1, 4, 6, 7)
        logits[:, 2] = -1e4
        self.check(loss, logits, random_tensor(1, 3, 6, 7, seed=1))

    def test_pixels_far_from_all_others(self, loss: Loss) -> None:
        image = random_tensor(1, 3, 6, 7, seed=1)
        image[..., 0, 0] = 1e6
        logits = random_tensor(1, 4, 6, 7)
        logits[:, 0, 0, 0] = -200
        self.check(loss, logits, image)

    def test_components_of_one_value(self, loss: Loss) -> None:
        image = torch.zeros(1, 1, 6, 8)
        image[..., 4:] = 1
        logits = torch.stack((1000 * image[:, 0], -1000 * image[:, 0]), dim=1)
        self.check(loss, logits, image)

    def test_no_number_outside_the_region(self, loss: Loss) -> None:
        image, region = random_tensor(1, 3, 6, 7, seed=1), random_tensor(1, 6, 7, seed=2) > 0
        logits, expected = random_tensor(1, 4, 6, 7), None
        for outside in (0.0, math.nan, math.inf):
            image.movedim(1, -1)[~region] = outside
            found = loss(logits, image, region)
            torch.testing.assert_close(found, found if expected is None else expected)
            expected = found

    def test_least_variance(self, loss: Loss) -> None:
        found = loss(torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4), min_variance=0.25)
        assert float(found) == pytest.approx(0.5 * math.log(2 * math.pi * 0.25))


def test_autocast_changes_nothing() -> None:
    batch = Batch(image=random_tensor(1, 3, 6, 7), prior_means=random_tensor(4, 3, seed=2))
    objective = Objective("varying_mixture + 0.5*mixture + 1.0*prior_means + 0.1*continuity")
    logits = random_tensor(1, 4, 6, 7, seed=1)
    expected = objective(logits, batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = objective(logits, batch)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert sum(objective.parts.values()) == pytest.approx(float(expected), rel=1e-6)
