from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.unet_deepg import DeepGUNet


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def small(**options: object) -> DeepGUNet:
    return DeepGUNet(**{"features": 4, "levels": 2, **options})


def published_block(block: nn.Module, features: Tensor) -> Tensor:
    first, second, normalization = block.first, block.second, block.normalization
    features = functional.leaky_relu(
        functional.conv2d(features, first.weight, first.bias, padding=1), 0.01
    )
    features = functional.conv2d(features, second.weight, padding=1)
    features = functional.instance_norm(
        features, weight=normalization.weight, bias=normalization.bias
    )
    return functional.leaky_relu(features, 0.01)


def published_features(network: DeepGUNet, features: Tensor) -> list[Tensor]:
    """The layers in the published order: double the size, then halve the channels."""
    across, risen = [], []
    for level, block in enumerate(network.down):
        features = functional.max_pool2d(features, 2) if level else features
        features = published_block(block, features)
        across.append(features)
    features = across.pop()
    for link, block in zip(network.links, network.up, strict=True):
        doubled = functional.interpolate(features, scale_factor=2, mode="nearest")
        halved = functional.conv2d(doubled, link.weight, link.bias)
        features = published_block(block, torch.cat([halved, across.pop()], dim=1))
        risen.append(features)
    return risen


def test_published_number_of_parameters() -> None:
    # Counted on the published code, 3 channels in and 4 components, with all its heads.
    network = DeepGUNet(in_channels=3, classes=4, deep_supervision=True)
    assert sum(parameter.numel() for parameter in network.parameters()) == 7_241_364


@pytest.mark.parametrize("shape", [(1, 3, 16, 24), (3, 3, 8, 12), (1, 3, 160, 96)])
def test_is_the_published_chain_of_layers(shape: tuple[int, ...]) -> None:
    network, image = small(classes=5), images(*shape)
    expected = network.head(published_features(network, image)[-1])
    torch.testing.assert_close(network(image), expected, rtol=1e-4, atol=1e-4)


def test_published_gradients() -> None:
    network, image = small(classes=5).double(), images(1, 3, 32, 24).double()
    upstream = torch.randn(1, 5, 32, 24, generator=torch.Generator().manual_seed(1)).double()
    found = torch.autograd.grad((network(image) * upstream).sum(), list(network.parameters()))
    expected = network.head(published_features(network, image)[-1])
    reference = torch.autograd.grad((expected * upstream).sum(), list(network.parameters()))
    for mine, theirs in zip(found, reference, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_further_heads() -> None:
    network = small(classes=5, deep_supervision=True)
    image = images(1, 3, 16, 24)
    found = network.all_logits(image)
    features = published_features(network, image)
    assert [logits.shape for logits in found] == [(1, 5, 8, 12), (1, 5, 16, 24)]
    for logits, head, each in zip(found, network.further_heads, features, strict=True):
        torch.testing.assert_close(logits, head(each), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_levels(levels: int) -> None:
    network = small(levels=levels)
    assert len(network.down) == levels + 1
    assert network(images(1, 3, 9, 14)).shape == (1, 4, 9, 14)


def test_border_is_repeated_to_whole_levels() -> None:
    network, image = small(), images(1, 3, 13, 10)
    padded = functional.pad(image, (1, 1, 1, 2), mode="replicate")
    torch.testing.assert_close(network(image), network(padded)[..., 1:14, 1:11])


def test_images_of_a_batch_do_not_see_each_other() -> None:
    network, batch = small(), images(3, 3, 8, 12)
    alone = torch.cat([network(image[None]) for image in batch])
    torch.testing.assert_close(network(batch), alone, rtol=1e-4, atol=1e-5)


def test_configuration_builds_the_same_network() -> None:
    network = small(in_channels=2, classes=3, deep_supervision=True)
    again = DeepGUNet(**network.configuration)
    assert again.configuration == network.configuration
    again.load_state_dict(network.state_dict())
