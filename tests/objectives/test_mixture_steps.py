from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from segmint.objectives import mixture_parameters


def random_tensor(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(
    seed=st.integers(0, 1000),
    components=st.integers(1, 4),
    channels=st.integers(1, 3),
    scale=st.sampled_from([0.0, 1.0, 20.0]),
)
def test_are_weighted_averages(seed: int, components: int, channels: int, scale: float) -> None:
    image = random_tensor(2, channels, 3, 4, seed=seed)
    gamma = (scale * random_tensor(2, components, 3, 4, seed=seed + 1)).softmax(dim=1)
    region = random_tensor(2, 3, 4, seed=seed + 2) > -0.5
    region[:, 0, 0] = True
    found = mixture_parameters(gamma, image, region)
    for b in range(2):
        shares, pixels = gamma[b][:, region[b]].numpy(), image[b][:, region[b]].numpy()
        np.testing.assert_allclose(found.weights[b], shares.mean(axis=1), rtol=1e-8)
        for k in range(components):
            mean = np.average(pixels, axis=1, weights=shares[k])
            variance = np.average((pixels - mean[:, None]) ** 2, axis=1, weights=shares[k])
            np.testing.assert_allclose(found.means[b, k], mean, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(found.variances[b, k], variance + 1e-10, rtol=1e-6)


def test_component_without_probability_looks_like_the_region() -> None:
    image, gamma = random_tensor(1, 2, 3, 4), torch.zeros(1, 2, 3, 4)
    gamma[:, 0] = 1
    weights, means, variances = mixture_parameters(gamma, image)
    torch.testing.assert_close(weights, torch.tensor([[1.0, 0.0]]))
    expected = image.mean(dim=(2, 3)).float()
    torch.testing.assert_close(means[:, 0], expected)
    torch.testing.assert_close(means[:, 1], expected)
    torch.testing.assert_close(variances[:, 1], image.var(dim=(2, 3), correction=0).float())
