from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmint.errors import InputError
from segmint.objectives import Batch, mixture_parameters, prior_means_loss
from segmint.objectives.prior_means import PriorMeans

KNOWN = torch.tensor([[0, 0.5, -0.5], [1, 0, 0.2], [-0.7, 0.3, 0.1], [0.4, -0.9, 0.6]])


def random_tensor(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_published_value(published_mixture: tuple[Tensor, Tensor, Tensor]) -> None:
    logits, image, region = published_mixture
    found = prior_means_loss(logits, image, KNOWN, region)
    assert float(found) == pytest.approx(3.7322821617126465, rel=1e-5)


def test_is_the_squared_distance_of_the_mean_over_images() -> None:
    logits, image = random_tensor(3, 4, 5, 6), random_tensor(3, 3, 5, 6, seed=1)
    region = random_tensor(3, 5, 6, seed=2) > 0
    region[1] = False
    means = mixture_parameters(logits[::2].softmax(dim=1), image[::2], region[::2]).means
    expected = ((means[0] + means[1]) / 2 - KNOWN).norm() ** 2
    torch.testing.assert_close(prior_means_loss(logits, image, KNOWN, region), expected)


def test_gradient_by_differences() -> None:
    logits = random_tensor(2, 4, 3, 4, dtype=torch.float64).requires_grad_()
    image = random_tensor(2, 3, 3, 4, seed=1, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda values: prior_means_loss(values, image, KNOWN), (logits,)
    )


def test_pulls_the_means() -> None:
    image = random_tensor(1, 3, 12, 12)
    logits = random_tensor(1, 4, 12, 12, seed=1)
    first = float(prior_means_loss(logits, image, 0.1 * KNOWN))
    for _ in range(200):
        logits.requires_grad_()
        value = prior_means_loss(logits, image, 0.1 * KNOWN)
        (gradient,) = torch.autograd.grad(value, logits)
        logits = (logits - 200 * gradient).detach()
    assert float(value.detach()) < 0.2 * first


def test_without_known_means() -> None:
    logits = random_tensor(1, 4, 5, 6).requires_grad_()
    value = PriorMeans()(logits, Batch(image=random_tensor(1, 3, 5, 6)))
    value.backward()
    assert float(value.detach()) == 0
    assert not logits.grad.any()


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (3, 4), (12,)])
def test_means_of_another_size(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"accepted is \(4, 3\)"):
        prior_means_loss(random_tensor(1, 4, 5, 6), random_tensor(1, 3, 5, 6), torch.zeros(shape))
