from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.errors import UsageError
from segmint.networks.unet import UNet


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def small(**options: object) -> UNet:
    return UNet(**{"features": 4, "levels": 2, "classes": 5, **options})


def plain_block(block: nn.Module, features: Tensor, normalization: str) -> Tensor:
    for name in ("first", "second"):
        convolution = getattr(block, name)
        normal = getattr(block, f"{name}_normalization")
        features = functional.conv2d(features, convolution.weight, convolution.bias, padding=1)
        if normalization == "batch":
            features = functional.batch_norm(
                features, None, None, normal.weight, normal.bias, training=True
            )
        elif normalization == "instance":
            features = functional.instance_norm(features, weight=normal.weight, bias=normal.bias)
        features = functional.relu(features)
    return features


def plain_logits(network: UNet, features: Tensor, normalization: str = "batch") -> Tensor:
    """The layers in the published order, links concatenated."""
    across = []
    for level, block in enumerate(network.down):
        features = functional.max_pool2d(features, 2) if level else features
        features = plain_block(block, features, normalization)
        across.append(features)
    features = across.pop()
    for rise in network.up:
        enlarge = rise.enlarge
        doubled = functional.conv_transpose2d(features, enlarge.weight, enlarge.bias, stride=2)
        features = plain_block(rise.block, torch.cat([doubled, across.pop()], dim=1), normalization)
    return functional.conv2d(features, network.head.weight, network.head.bias)


@pytest.mark.parametrize(("classes", "expected"), [(21, 7_763_701), (19, 7_763_635)])
def test_number_of_parameters_of_the_study(classes: int, expected: int) -> None:
    network = UNet(in_channels=3, classes=classes)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize("normalization", ["batch", "instance", "none"])
@pytest.mark.parametrize("levels", [1, 3])
def test_is_the_chain_of_layers(normalization: str, levels: int) -> None:
    network = small(normalization=normalization, levels=levels).double()
    image = images(2, 3, 16, 24).double()
    expected = plain_logits(network, image, normalization)
    torch.testing.assert_close(network(image), expected)


def test_gradients() -> None:
    network, image = small().double(), images(2, 3, 16, 24).double()
    upstream = torch.randn(2, 5, 16, 24, generator=torch.Generator().manual_seed(1)).double()
    weights = list(network.parameters())
    found = torch.autograd.grad((network(image) * upstream).sum(), weights)
    expected = torch.autograd.grad((plain_logits(network, image) * upstream).sum(), weights)
    torch.testing.assert_close(found, expected)


def test_border_is_repeated_to_whole_levels() -> None:
    network, image = small().eval(), images(1, 3, 13, 10)
    larger = functional.pad(image, (1, 1, 1, 2), mode="replicate")
    torch.testing.assert_close(network(image), network(larger)[..., 1:14, 1:11])


def test_running_statistics_are_learned_in_training_and_used_in_prediction() -> None:
    network, batch = small(), images(4, 3, 16, 16)
    first = network.down[0].first_normalization
    features = network.down[0].first(batch)
    network(batch)
    expected = 0.1 * features.mean(dim=(0, 2, 3))
    torch.testing.assert_close(first.running_mean, expected)
    network.eval()
    together = network(batch)
    torch.testing.assert_close(together[:1], network(batch[:1]), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together, network.train()(batch), atol=1e-2)


@pytest.mark.parametrize("normalization", ["instance", "none"])
def test_images_of_a_batch_do_not_see_each_other(normalization: str) -> None:
    network, batch = small(normalization=normalization), images(3, 3, 8, 12)
    alone = torch.cat([network(image[None]) for image in batch])
    torch.testing.assert_close(network(batch), alone, rtol=1e-4, atol=1e-5)


def test_a_single_value_cannot_be_normalized() -> None:
    network = small(levels=3)
    with pytest.raises(UsageError, match=r"a batch of 1 image of 7x8 pixels .* 2 images or more"):
        network(images(1, 3, 7, 8))
    assert torch.isfinite(network(images(2, 3, 7, 8))).all()
    assert torch.isfinite(network.eval()(images(1, 3, 7, 8))).all()
    assert torch.isfinite(small(levels=3, normalization="instance")(images(1, 3, 7, 8))).all()


def test_dropout_at_the_end_of_the_way_down_in_training_alone() -> None:
    network = small(dropout=0.5, levels=3)
    assert [block.dropout for block in network.down] == [0, 0, 0.5, 0.5]
    features = network.down[-1](images(2, 16, 16, 16))
    assert 0.4 < float((features == 0).float().mean()) <= 1
    network.eval()
    without = small(levels=3).eval()
    torch.testing.assert_close(network(images(1, 3, 8, 8)), without(images(1, 3, 8, 8)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": 0}, "features is 0, accepted is a whole number from 1 to 512"),
        ({"features": 2.5}, "features is 2.5, accepted is a whole number"),
        ({"levels": 9}, "levels is 9, accepted is a whole number from 1 to 8"),
        ({"normalization": "bach"}, "normalization is 'bach': did you mean 'batch'"),
        ({"dropout": 1}, "dropout is 1, accepted is a number from 0 to less than 1"),
        ({"dropout": float("nan")}, "dropout is nan"),
        ({"dropout": "a"}, "dropout is 'a'"),
    ],
)
def test_what_cannot_be_built(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        small(**options)


def test_configuration_builds_the_same_network() -> None:
    network = small(in_channels=2, classes=3, normalization="instance", dropout=0.2)
    again = UNet(**network.configuration)
    assert again.configuration == network.configuration
    again.load_state_dict(network.state_dict())
