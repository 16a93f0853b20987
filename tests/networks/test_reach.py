from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks import build
from segmint.networks.reach import Reach, measured_reach


def halo_of_unet(levels: int, *, even: bool) -> int:
    """Pixels that a spoilt cell spoils on either side, rounded up to whole cells.

    Intervals are carried through the layers: a 3x3 convolution adds a pixel on both sides, halving
    and doubling go to whole pixels, an even kernel that looks to the right spoils one to the left.
    """
    step = 2**levels
    spoilt = (0, step)
    across = []
    for level in range(levels + 1):
        if level:
            spoilt = (spoilt[0] // 2, -(-spoilt[1] // 2))
        spoilt = (spoilt[0] - 2, spoilt[1] + 2)
        across.append(spoilt)
    spoilt = across.pop()
    while across:
        fine = across.pop()
        spoilt = (2 * spoilt[0] - even, 2 * spoilt[1])
        spoilt = (min(spoilt[0], fine[0]) - 2, max(spoilt[1], fine[1]) + 2)
    return max(-(spoilt[0] // step), -(-spoilt[1] // step) - 1) * step


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["unet", "unet-original"])
def test_halo_is_that_of_the_layers(name: str, levels: int) -> None:
    network = build(name, in_channels=3, features=2, levels=levels)
    halo = halo_of_unet(levels, even=name == "unet-original")
    assert measured_reach(network) == Reach(step=2**levels, least=0, halo=halo)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet", {"features": 2, "normalization": "instance"}),
        ("unet-deepg", {"features": 2}),
        ("clustering", {"features": 4}),
        ("smp:deeplabv3plus/resnet18", {}),
        ("smp:unet/efficientnet-b0", {"encoder_depth": 3, "decoder_channels": [8, 8, 8]}),
    ],
)
def test_networks_that_look_everywhere(name: str, options: dict[str, Any]) -> None:
    assert measured_reach(build(name, in_channels=3, classes=2, **options)).halo is None


def test_a_network_is_measured_as_it_is_now() -> None:
    network: Any = build("clustering", features=4, classes=3, blocks=3)
    assert measured_reach(network).halo is None
    network.statistics = "running"
    assert measured_reach(network) == Reach(step=1, least=0, halo=3)


def test_mode_and_global_randomness_are_left_alone() -> None:
    network = build("unet", features=2, levels=1).train()
    state = torch.random.get_rng_state()
    measured_reach(network)
    assert network.training
    assert torch.equal(torch.random.get_rng_state(), state)


class Made(nn.Module):
    """A 3x3 convolution, and whatever a test adds."""

    step = 4

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 3, 3, padding=1)

    @property
    def configuration(self) -> dict[str, int]:
        return {"in_channels": 2, "classes": 3}

    def forward(self, image: Tensor) -> Tensor:
        return self.convolution(image)  # type: ignore[no-any-return]


class Hiding(Made):
    """Looks everywhere, and lets no NaN through."""

    def forward(self, image: Tensor) -> Tensor:
        return super().forward(image) + image.nan_to_num().mean()


class Stretching(Made):
    """Doubles so that corners meet, which moves pixels by the size of the image."""

    def forward(self, image: Tensor) -> Tensor:
        coarse = functional.avg_pool2d(super().forward(image), 4)
        return functional.interpolate(coarse, scale_factor=4, mode="bilinear", align_corners=True)


class Fixed(Made):
    """Takes one size."""

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-2:] != (32, 32):
            raise RuntimeError("32x32 alone")
        return super().forward(image)


class Far(Made):
    """Looks to the right alone, farther than a tile is large."""

    def forward(self, image: Tensor) -> Tensor:
        return super().forward(image) + image.roll(-1500, dims=-1)[:, :1]


def test_plain_convolution() -> None:
    assert measured_reach(Made()) == Reach(step=4, least=0, halo=4)


@pytest.mark.parametrize("kind", [Hiding, Stretching, Fixed, Far])
def test_where_no_halo_helps(kind: type[Made]) -> None:
    assert measured_reach(kind()).halo is None
