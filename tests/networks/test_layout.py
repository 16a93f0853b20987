from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from segmint.networks import build
from segmint.networks.layout import LayoutPool2d, keep_layout


def maps(*, channels_last: bool, size: tuple[int, int] = (5, 7)) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    made = torch.randn(2, 3, *size, generator=generator, dtype=torch.float64)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return made.contiguous(memory_format=layout).requires_grad_()


@pytest.mark.parametrize("output", [1, (2, 3), (None, 2)])
@pytest.mark.parametrize("channels_last", [True, False])
def test_value_and_gradient_are_those_of_the_ordinary_pool(
    output: object, channels_last: bool
) -> None:
    given = maps(channels_last=channels_last)
    found, expected = LayoutPool2d(output)(given), nn.AdaptiveAvgPool2d(output)(given)
    assert torch.equal(found, expected)
    upstream = torch.randn(found.shape, generator=torch.Generator().manual_seed(1)).double()
    (slope,) = torch.autograd.grad(found, given, upstream)
    (other,) = torch.autograd.grad(expected, given, upstream)
    assert torch.equal(slope, other)
    if channels_last:
        assert slope.is_contiguous(memory_format=torch.channels_last)


def test_gradient_of_a_gradient() -> None:
    assert torch.autograd.gradcheck(LayoutPool2d(1), maps(channels_last=True))
    assert torch.autograd.gradgradcheck(LayoutPool2d(1), maps(channels_last=True))


def test_maps_without_batch_and_without_gradient() -> None:
    given = maps(channels_last=True).detach()
    assert torch.equal(LayoutPool2d(2)(given[0]), nn.AdaptiveAvgPool2d(2)(given[0]))
    assert torch.equal(LayoutPool2d(2)(given), nn.AdaptiveAvgPool2d(2)(given))


def test_names_and_weights_stay() -> None:
    class Own(nn.AdaptiveAvgPool2d):
        pass

    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), Own(1))
    before = copy.deepcopy(network.state_dict())
    keep_layout(network)
    assert [type(module) for module in network] == [nn.Conv2d, LayoutPool2d, Own]
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_networks_of_the_zoo_have_it() -> None:
    network = build("smp:deeplabv3/resnet18", classes=2)
    kinds = {type(module) for module in network.modules()}
    assert LayoutPool2d in kinds
    assert nn.AdaptiveAvgPool2d not in kinds
