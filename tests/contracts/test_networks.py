"""What every registered network must do, whatever it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from segmint.errors import UsageError
from segmint.networks import build, networks
from segmint.networks.storage import load_network, save_network


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_unknown_network_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown network 'clustring': did you mean 'clustering'"):
        build("clustring")


@pytest.mark.parametrize("name", list(networks))
class TestNetwork:
    @pytest.mark.parametrize("in_channels", [1, 2, 3, 5])
    @pytest.mark.parametrize("classes", [1, 2, 9])
    def test_any_channels(self, name: str, in_channels: int, classes: int) -> None:
        network = build(name, in_channels=in_channels, classes=classes)
        assert network(images(2, in_channels, 16, 16)).shape == (2, classes, 16, 16)

    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (13, 10), (48, 64)])
    def test_any_size(self, name: str, size: tuple[int, int]) -> None:
        response = build(name, in_channels=3, classes=4)(images(1, 3, *size))
        assert response.shape == (1, 4, *size)
        assert torch.isfinite(response).all()

    def test_every_weight_learns(self, name: str) -> None:
        network = build(name, in_channels=3, classes=4)
        response = network(images(1, 3, 16, 16))
        (response * images(1, 4, 16, 16)).sum().backward()
        for parameter in network.parameters():
            assert torch.isfinite(parameter.grad).all()
        assert any(bool(parameter.grad.any()) for parameter in network.parameters())

    def test_half_precision_stays_near(self, name: str) -> None:
        network = build(name, in_channels=3, classes=4)
        exact = network(images(1, 3, 16, 16))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            coarse = network(images(1, 3, 16, 16))
        assert (coarse.float() - exact).abs().mean() < 0.1 * exact.abs().mean()

    def test_seed_decides_the_weights(self, name: str) -> None:
        first, again, other = (build(name, seed=seed).state_dict() for seed in (3, 3, 4))
        torch.testing.assert_close(dict(first), dict(again), rtol=0, atol=0)
        assert any(not torch.equal(first[key], other[key]) for key in first)

    def test_global_randomness_is_left_alone(self, name: str) -> None:
        torch.manual_seed(0)
        expected = torch.rand(1)
        torch.manual_seed(0)
        build(name, seed=9)
        torch.testing.assert_close(torch.rand(1), expected, rtol=0, atol=0)

    def test_round_trip(self, name: str, tmp_path: Path) -> None:
        network: nn.Module = build(name, in_channels=2, classes=4)
        save_network(tmp_path / "a.safetensors", network, name=name)
        again = load_network(tmp_path / "a.safetensors")
        image = images(1, 2, 16, 16)
        torch.testing.assert_close(again(image), network(image), rtol=0, atol=0)

    def test_unknown_option(self, name: str) -> None:
        with pytest.raises(UsageError, match="depht"):
            build(name, depht=3)
