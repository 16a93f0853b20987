from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.errors import UsageError
from segmint.networks.unet_original import OriginalUNet


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def small(**options: object) -> OriginalUNet:
    return OriginalUNet(**{"features": 4, "levels": 2, **options})


def plain_block(block: nn.Module, features: Tensor) -> Tensor:
    for convolution in (block.first, block.second):
        features = functional.conv2d(features, convolution.weight, convolution.bias, padding=1)
        features = functional.relu(features)
    return features


def plain_logits(network: OriginalUNet, features: Tensor) -> Tensor:
    across = []
    for level, block in enumerate(network.down):
        features = functional.max_pool2d(features, 2) if level else features
        features = plain_block(block, features)
        across.append(features)
    features = across.pop()
    for rise in network.up:
        doubled = features.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        doubled = functional.pad(doubled, (0, 1, 0, 1))
        halved = functional.relu(functional.conv2d(doubled, rise.halve.weight, rise.halve.bias))
        features = plain_block(rise.block, torch.cat([halved, across.pop()], dim=1))
    return functional.conv2d(features, network.head.weight, network.head.bias)


def expected_parameters() -> int:
    """Counted by hand on figure 1 of the paper, for one channel and one class."""
    widths = [64, 128, 256, 512, 1024]
    down = sum(
        9 * i * o + o + 9 * o * o + o for i, o in zip([1, *widths[:-1]], widths, strict=True)
    )
    up = sum(4 * 2 * w * w + w + 9 * 2 * w * w + w + 9 * w * w + w for w in widths[:-1])
    return down + up + 64 + 1


def test_number_of_parameters() -> None:
    network = OriginalUNet(in_channels=1, classes=1)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected_parameters()


def test_is_the_chain_of_layers_with_its_gradients() -> None:
    network, image = small(dropout=0).double(), images(2, 1, 16, 12).double()
    upstream = torch.randn(2, 1, 16, 12, generator=torch.Generator().manual_seed(1)).double()
    found, expected = network(image), plain_logits(network, image)
    torch.testing.assert_close(found, expected)
    weights = list(network.parameters())
    torch.testing.assert_close(
        torch.autograd.grad((found * upstream).sum(), weights),
        torch.autograd.grad((expected * upstream).sum(), weights),
    )


def test_weights_start_with_variance_two_over_inputs() -> None:
    for module in small(features=32).modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 5000:
            inputs = module.weight[0].numel()
            assert module.weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.05)
            assert not module.bias.any()


def test_published_dropout_at_the_end_of_the_way_down() -> None:
    network = small(levels=3)
    assert [block.dropout for block in network.down] == [0, 0, 0.5, 0.5]
    image = images(1, 1, 16, 16)
    assert not torch.equal(network(image), network(image))
    network.eval()
    torch.testing.assert_close(network(image), small(levels=3, dropout=0)(image))


def test_what_cannot_be_built() -> None:
    with pytest.raises(UsageError, match="dropout is -1"):
        small(dropout=-1)
    with pytest.raises(UsageError, match="levels is 0"):
        small(levels=0)


def test_configuration_builds_the_same_network() -> None:
    network = small(in_channels=2, classes=3, dropout=0.25)
    again = OriginalUNet(**network.configuration)
    assert again.configuration == network.configuration
    again.load_state_dict(network.state_dict())
