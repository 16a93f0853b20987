"""What every registered network must do, whatever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segmint.errors import UsageError
from segmint.networks import build, networks
from segmint.networks.storage import load_network, save_network
from segmint.networks.zoo_names import FORM

ZOO = "smp:unet/resnet18"
NAMES = [*(name for name in networks if name != FORM), ZOO]
SMALL: dict[str, dict[str, Any]] = {
    "unet": {"features": 8},
    "unet-original": {"features": 8},
    ZOO: {"decoder_channels": [32, 16, 16, 8, 8]},
}
"""Options that keep the tests quick."""


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_unknown_network_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown network 'clustring': did you mean 'clustering'"):
        build("clustring")


def made(name: str, **options: Any) -> nn.Module:
    """A network as it predicts."""
    return build(name, **{"classes": 4, **SMALL.get(name, {}), **options}).eval()


@pytest.mark.parametrize("options", [{"in_channels": 0}, {"classes": -1}, {"classes": 2.5}])
def test_impossible_channels_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="accepted is a whole number from 1"):
        build("unet", **options)


@pytest.mark.parametrize("name", NAMES)
class TestNetwork:
    @pytest.mark.parametrize("in_channels", [1, 3, 5])
    @pytest.mark.parametrize("classes", [1, 9])
    def test_any_channels(self, name: str, in_channels: int, classes: int) -> None:
        network = made(name, in_channels=in_channels, classes=classes)
        assert network(images(2, in_channels, 16, 16)).shape == (2, classes, 16, 16)

    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (13, 10), (48, 64)])
    def test_any_size(self, name: str, size: tuple[int, int]) -> None:
        network = made(name)
        response = network(images(1, 3, *size))
        assert response.shape == (1, 4, *size)
        assert torch.isfinite(response).all()
        assert network.train()(images(2, 3, *size)).shape == (2, 4, *size)

    def test_every_weight_learns(self, name: str) -> None:
        network = made(name).train()
        response = network(images(2, 3, 32, 32))
        (response * images(2, 4, 32, 32)).sum().backward()
        for parameter in network.parameters():
            assert torch.isfinite(parameter.grad).all()
        assert all(bool(parameter.grad.any()) for parameter in network.parameters())

    @pytest.mark.parametrize("learning", [False, True])
    def test_half_precision_stays_near(self, name: str, learning: bool) -> None:
        # Dropout would drop other features the second time.
        options = {"dropout": 0} if name == "unet-original" else {}
        network = made(name, **options).train(learning)
        exact = network(images(2, 3, 32, 32))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            coarse = network(images(2, 3, 32, 32))
        assert torch.isfinite(coarse).all()
        assert (coarse.float() - exact).abs().mean() < 0.1 * exact.abs().mean()

    def test_any_layout_of_the_image(self, name: str) -> None:
        network, image = made(name), images(2, 3, 13, 10)
        last = image.contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(network(last), network(image), rtol=1e-4, atol=1e-5)

    def test_prediction_is_the_same_each_time(self, name: str) -> None:
        network, image = made(name), images(2, 3, 13, 10)
        before = {key: value.clone() for key, value in network.state_dict().items()}
        torch.testing.assert_close(network(image), network(image), rtol=0, atol=0)
        torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)

    def test_seed_decides_the_weights(self, name: str) -> None:
        first, again, other = (made(name, seed=seed).state_dict() for seed in (3, 3, 4))
        torch.testing.assert_close(dict(first), dict(again), rtol=0, atol=0)
        assert any(not torch.equal(first[key], other[key]) for key in first)

    def test_global_randomness_is_left_alone(self, name: str) -> None:
        torch.manual_seed(0)
        expected = torch.rand(1)
        torch.manual_seed(0)
        made(name, seed=9)
        torch.testing.assert_close(torch.rand(1), expected, rtol=0, atol=0)

    def test_round_trip(self, name: str, tmp_path: Path) -> None:
        network = made(name, in_channels=2)
        save_network(tmp_path / "a.safetensors", network, name=name)
        again = load_network(tmp_path / "a.safetensors").eval()
        image = images(1, 2, 16, 16)
        torch.testing.assert_close(again(image), network(image), rtol=0, atol=0)

    def test_unknown_option(self, name: str) -> None:
        with pytest.raises(UsageError, match="depht"):
            build(name, depht=3)
