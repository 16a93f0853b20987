from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from segmint.networks.clustering import ClusteringNetwork, Normalization


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def small(**options: object) -> ClusteringNetwork:
    return ClusteringNetwork(**{"classes": 7, "features": 5, **options})


def test_published_number_of_parameters() -> None:
    # Counted on the published code: 3 channels in, 100 features, 100 components, 2 blocks.
    network = ClusteringNetwork(in_channels=3, classes=100, features=100, blocks=2)
    assert sum(parameter.numel() for parameter in network.parameters()) == 103_600


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_is_the_published_chain_of_layers(blocks: int) -> None:
    network, image = small(blocks=blocks), images(1, 3, 6, 8)
    expected = image
    for convolution in network.convolutions:
        expected = functional.conv2d(expected, convolution.weight, convolution.bias, padding=1)
        expected = functional.batch_norm(functional.relu(expected), None, None, training=True)
    classifier = network.classifier
    expected = functional.conv2d(expected, classifier.weight, classifier.bias)
    expected = functional.batch_norm(expected, None, None, training=True)
    torch.testing.assert_close(network(image), expected, rtol=1e-4, atol=1e-5)


def test_response_is_normalized() -> None:
    response = small()(images(1, 3, 16, 16))
    torch.testing.assert_close(response.mean(dim=(0, 2, 3)), torch.zeros(7), rtol=0, atol=1e-5)
    deviation = response.std(dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(deviation, torch.ones(7), rtol=0, atol=1e-2)


def test_statistics_of_each_image_alone() -> None:
    network, batch = small(statistics="image"), images(3, 3, 6, 8)
    alone = torch.cat([network(image[None]) for image in batch])
    torch.testing.assert_close(network(batch), alone, rtol=1e-4, atol=1e-5)


def test_statistics_of_the_batch() -> None:
    network, batch = small(statistics="batch"), images(3, 3, 6, 8)
    together = network(batch)
    torch.testing.assert_close(together.mean(dim=(0, 2, 3)), torch.zeros(7), rtol=0, atol=1e-5)
    alone = torch.cat([network(image[None]) for image in batch])
    assert not torch.allclose(together, alone, atol=1e-2)


def test_stored_statistics_do_not_depend_on_the_batch() -> None:
    network, batch = small(statistics="running"), images(3, 3, 6, 8)
    for module in network.modules():
        if isinstance(module, Normalization):
            module.running_mean += 0.2
            module.running_variance *= 0.5
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first = network(batch)
    torch.testing.assert_close(network(batch), first, rtol=0, atol=0)
    torch.testing.assert_close(network(batch[:1]), first[:1])
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)


@pytest.mark.parametrize("statistics", ["image", "batch", "running"])
def test_train_and_eval_change_nothing(statistics: str) -> None:
    network, batch = small(statistics=statistics), images(2, 3, 6, 8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    learning = network.train()(batch)
    torch.testing.assert_close(network.eval()(batch), learning, rtol=0, atol=0)
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)


def test_the_image_is_left_alone() -> None:
    image = images(1, 3, 6, 8)
    before = image.clone()
    small()(image)
    torch.testing.assert_close(image, before, rtol=0, atol=0)


def test_constant_image_is_finite() -> None:
    assert torch.isfinite(small()(torch.ones(1, 3, 6, 8))).all()


def test_configuration_builds_the_same_network() -> None:
    network = small(in_channels=2, blocks=3, statistics="running")
    again = ClusteringNetwork(**network.configuration)
    assert again.configuration == network.configuration
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    assert {name: value.shape for name, value in again.state_dict().items()} == shapes
