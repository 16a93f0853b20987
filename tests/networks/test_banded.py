from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from segmint.networks import banded, build
from segmint.networks.banded import BandedUNet


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
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


@settings(max_examples=30)
@given(
    name=st.sampled_from(["unet", "unet-original"]),
    levels=st.integers(1, 3),
    size=st.tuples(st.integers(1, 2), st.just(2), st.integers(1, 170), st.integers(1, 40)),
    values=st.sampled_from([1, 2000, 12000]),
)
def test_bands_make_no_difference(
    name: str, levels: int, size: tuple[int, ...], values: int
) -> None:
    network = learned(build(name, in_channels=2, classes=3, features=2, levels=levels))
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(banded, "_BAND_VALUES", values)
        found = BandedUNet(network)(images(*size))
    expected = plain(network, images(*size))
    assert found.shape == expected.shape
    same(found, expected)
