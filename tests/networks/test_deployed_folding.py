"""What deploying folds, and what it leaves as it is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segmint.networks import build
from segmint.networks.deployed import deployed

SMALL: dict[str, dict[str, Any]] = {
    "unet": {"features": 4, "levels": 3},
    "unet-original": {"features": 4, "levels": 3},
    "smp:unet/mobileone_s0": {"encoder_depth": 3, "decoder_channels": [8, 8, 8]},
}


def learned(network: nn.Module) -> nn.Module:
    """As it might be after training, with statistics far from those at its beginning."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.normal_(0, 0.3, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            if module.affine:
                module.weight.data.uniform_(0.5, 1.5, generator=generator)
                module.bias.data.normal_(0, 0.3, generator=generator)
    return network.eval()


def images(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def plain(network: nn.Module, image: Tensor) -> Tensor:
    with torch.inference_mode():
        return network(image)


def same(found: Tensor, expected: Tensor) -> None:
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", SMALL)
def test_the_network_stays_and_later_changes_do_not_count(name: str, dtype: torch.dtype) -> None:
    network = learned(build(name, classes=4, **SMALL[name])).train()
    before = copy.deepcopy(network.state_dict())
    respond = deployed(network, dtype)
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
    assert all(module.training for module in network.modules())
    assert all(parameter.requires_grad for parameter in network.parameters())
    found = respond(images(1, 3, 33, 40)).clone()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    torch.testing.assert_close(respond(images(1, 3, 33, 40)), found, rtol=0, atol=0)


class Little(nn.Module):
    """Layers in the order of their names, or backwards."""

    def __init__(self, *layers: nn.Module, backwards: bool = False) -> None:
        super().__init__()
        self.configuration = {"in_channels": 3, "classes": 3}
        self.layers = nn.ModuleList(layers)
        self.backwards = backwards

    def forward(self, image: Tensor) -> Tensor:
        for layer in reversed(self.layers) if self.backwards else self.layers:
            image = layer(image)
        return image


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("affine", [False, True])
def test_folding(bias: bool, affine: bool) -> None:
    network = learned(
        Little(
            nn.Conv2d(3, 3, 3, padding=1, bias=bias, groups=3),
            nn.BatchNorm2d(3, affine=affine, eps=0.1),
            nn.Conv2d(3, 3, 1, bias=bias),
            nn.BatchNorm2d(3, affine=affine),
        )
    )
    respond = deployed(network)
    same(respond(images(1, 3, 9, 7)), plain(network, images(1, 3, 9, 7)))


def test_what_cannot_be_folded_is_left() -> None:
    measures = nn.BatchNorm2d(3, track_running_stats=False)
    layers = [nn.Conv2d(3, 3, 1), learned(nn.BatchNorm2d(3)), nn.Conv2d(3, 3, 1), measures]
    for backwards in (False, True):
        network = Little(*layers, backwards=backwards).eval()
        same(deployed(network)(images(1, 3, 9, 7)), plain(network, images(1, 3, 9, 7)))


class NotShort(nn.Conv2d):
    """Cannot do with short values, or makes nonsense of them."""

    nonsense = False

    def forward(self, image: Tensor) -> Tensor:
        if image.dtype == torch.bfloat16:
            if not self.nonsense:
                raise RuntimeError("not implemented for 'BFloat16'")
            return super().forward(image) * float("nan")
        return super().forward(image)


@pytest.mark.parametrize("nonsense", [False, True])
def test_short_values_only_where_they_do(nonsense: bool) -> None:
    layer = NotShort(3, 3, 3, padding=1)
    layer.nonsense = nonsense
    network = Little(layer).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected = plain(network, images(1, 3, 20, 20)).float()
    found = deployed(network, torch.bfloat16)(images(1, 3, 20, 20))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
