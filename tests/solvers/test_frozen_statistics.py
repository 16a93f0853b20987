from __future__ import annotations

import numpy as np
import pytest
import torch

from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.normalization import Normalization
from segmint.networks.unet_deepg import DeepGUNet
from segmint.solvers.frozen_statistics import folded, freeze_statistics, scale_and_shift


def random_network(kind: str) -> torch.nn.Module:
    network: torch.nn.Module
    if kind == "clustering":
        network = ClusteringNetwork(in_channels=2, classes=7, features=6, blocks=2)
    else:
        network = DeepGUNet(in_channels=2, classes=3, features=4, levels=2)
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, Normalization):
            module.weight.data.normal_(generator=generator)
            module.bias.data.normal_(generator=generator)
    return network


@pytest.mark.parametrize("kind", ["clustering", "unet"])
class TestBoth:
    def test_the_answer_to_the_image_itself_stays(self, kind: str) -> None:
        network = random_network(kind).double()
        image = torch.randn(1, 2, 40, 44, generator=torch.Generator().manual_seed(0)).double()
        with torch.no_grad():
            expected = network(image)
        freeze_statistics(network, image)
        with torch.no_grad():
            torch.testing.assert_close(network(image), expected)
            # Another brightness would have been normalized away before.
            assert (network(3 * image + 1) - expected).abs().max() > 0.1

    def test_folding_keeps_the_answer(self, kind: str) -> None:
        network = random_network(kind).double()
        image = torch.randn(1, 2, 40, 44, generator=torch.Generator().manual_seed(0)).double()
        freeze_statistics(network, image)
        with torch.no_grad():
            expected = network(image)
            torch.testing.assert_close(folded(network)(image), expected)


def test_scale_and_shift_are_those_of_the_definition() -> None:
    module = Normalization(3)
    module.weight.data = torch.tensor([1.0, -2.0, 0.5])
    module.bias.data = torch.tensor([0.0, 1.0, 3.0])
    values = np.random.default_rng(0).normal(2, 3, (1, 3, 20, 20))
    freeze_statistics(module, torch.from_numpy(values).float())
    scale, shift = scale_and_shift(module)
    mean, variance = values.mean(axis=(0, 2, 3)), values.var(axis=(0, 2, 3))
    expected = module.weight.detach().numpy() / np.sqrt(variance + module.epsilon)
    np.testing.assert_allclose(scale.detach().numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(
        shift.detach().numpy(), module.bias.detach().numpy() - mean * expected, rtol=1e-5, atol=1e-6
    )
