from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segmint.networks import banded, build
from segmint.networks.deployed import deployed

NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("unet", {"features": 4, "levels": 2}),
    ("unet", {"features": 4, "levels": 1, "normalization": "none"}),
    ("unet", {"features": 4, "levels": 2, "normalization": "instance"}),
    ("unet-original", {"features": 4, "levels": 2}),
    ("unet-deepg", {"features": 4, "levels": 2}),
    ("clustering", {"features": 8}),
    ("clustering", {"features": 8, "statistics": "running"}),
    ("smp:unet/resnet18", {}),
    ("smp:deeplabv3plus/mobilenet_v2", {}),
    ("smp:unet/tu-efficientnet_b0", {}),
    ("smp:linknet/densenet121", {}),
]


def learned(network: nn.Module) -> nn.Module:
    """Normalization as training leaves it, so that leaving it out would show."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            size = module.num_features
            module.running_mean = torch.randn(size, generator=generator) * 0.3
            module.running_var = torch.rand(size, generator=generator) + 0.5
            module.weight.data = torch.rand(size, generator=generator) + 0.5
            module.bias.data = torch.randn(size, generator=generator) * 0.2
    return network.eval()


def images(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def answer(network: nn.Module, image: Tensor) -> Tensor:
    with torch.no_grad():
        return network(image)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_answers_are_those_of_the_network(name: str, options: dict[str, Any]) -> None:
    network = learned(build(name, in_channels=3, classes=4, **options))
    state = {key: value.clone() for key, value in network.state_dict().items()}
    image = images(2, 3, 77, 98)
    expected = answer(network, image)
    largest = expected.abs().max()
    assert (deployed(network)(image) - expected).abs().max() <= 1e-4 * max(1, largest)
    short = deployed(network, torch.bfloat16)(image)
    assert short.dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = answer(network, image).float()
    assert (short - expected).abs().mean() <= 2 * (mixed - expected).abs().mean()
    torch.testing.assert_close(dict(network.state_dict()), state, rtol=0, atol=0)


@pytest.mark.parametrize("size", [(1, 1), (64, 40), (131, 67)])
@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("name", ["unet", "unet-original"])
def test_bands_of_rows(
    name: str, levels: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = learned(build(name, in_channels=3, classes=4, features=4, levels=levels))
    image = images(2, 3, *size)
    expected = answer(network, image)
    monkeypatch.setattr(banded, "_BAND_VALUES", 1)
    torch.testing.assert_close(deployed(network)(image), expected, rtol=1e-5, atol=1e-5)


class Made(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.normalization = nn.BatchNorm2d(3)

    @property
    def configuration(self) -> dict[str, int]:
        return {"in_channels": 3, "classes": 3}

    def forward(self, image: Tensor) -> Tensor:
        return self.normalization(self.convolution(image))  # type: ignore[no-any-return]


class Before(Made):
    """Normalizes before the convolution that it names first."""

    def forward(self, image: Tensor) -> Tensor:
        return self.convolution(self.normalization(image))  # type: ignore[no-any-return]


class Long(Made):
    """Refuses short values."""

    def forward(self, image: Tensor) -> Tensor:
        if image.dtype != torch.float32:
            raise RuntimeError("float32 alone")
        return super().forward(image)


def test_normalization_is_gone() -> None:
    quick = deployed(learned(Made()))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.modules())


@pytest.mark.parametrize("kind", [Made, Before, Long])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_networks_of_others(kind: type[Made], dtype: torch.dtype) -> None:
    network = learned(kind())
    image = images(1, 3, 20, 30)
    tolerance = 1e-5 if dtype == torch.float32 else 0.05
    found = deployed(network, dtype)(image)
    torch.testing.assert_close(found, answer(network, image), rtol=tolerance, atol=tolerance)


def test_without_values() -> None:
    shapes = deployed(build("unet", features=2, levels=1, classes=5), torch.bfloat16)
    found = shapes.without_values()(torch.zeros(1, 3, 6, 8, device="meta"))
    assert found.shape == (1, 5, 6, 8) and found.dtype == torch.float32
