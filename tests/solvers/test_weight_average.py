from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from segmint.solvers.weight_average import WeightAverage, use_average


class Tied(nn.Module):
    """Weights with two names, a buffer, and a counter."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.zeros(3))
        self.again = self.first
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("count", torch.tensor(0))

    def go_to(self, value: float) -> None:
        with torch.no_grad():
            self.first.fill_(value)
            self.mean.fill_(-value)
            self.count.add_(1)


def expected(values: list[float], decay: float) -> float:
    average = 0.0
    for number, value in enumerate(values):
        kept = min(decay, (1 + number) / (10 + number))
        average = kept * average + (1 - kept) * value
    return average


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.999])
def test_average(decay: float) -> None:
    values = [1.0, 4.0, -2.0, 3.0, 3.5, 8.0]
    network = Tied()
    average = WeightAverage(network, decay)
    for value in values:
        network.go_to(value)
        average.update()
    with average.in_place():
        torch.testing.assert_close(network.first, torch.full((3,), expected(values, decay)))
        assert network.again is network.first
        torch.testing.assert_close(network.mean, torch.full((2,), -expected(values, decay)))
        assert int(network.count) == len(values)
    torch.testing.assert_close(network.first, torch.full((3,), 8.0))
    assert average.updates == len(values)


def test_comes_back_also_from_an_error() -> None:
    network = Tied()
    network.go_to(1.0)
    average = WeightAverage(network, 0.5)
    network.go_to(5.0)
    with pytest.raises(ValueError, match="within"), average.in_place():
        raise ValueError("within")
    assert float(network.first[0].detach()) == 5


def test_weights_keep_their_memory() -> None:
    network = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    place, strides = network.weight.data_ptr(), network.weight.stride()
    average = WeightAverage(network, 0.5)
    with average.in_place():
        assert network.weight.stride() == strides
        assert network.weight.data_ptr() != place
    assert network.weight.data_ptr() == place


def test_goes_on_bit_for_bit() -> None:
    whole = nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)
    average = WeightAverage(whole, 0.9)
    for number in range(8):
        if number == 4:
            part = copy.deepcopy(whole)
            further = WeightAverage(part, 0.9)
            saved = {name: value.contiguous().clone() for name, value in average.state().items()}
            further.restore(saved, average.updates)
        change(whole, number)
        average.update()
        if number >= 4:
            change(part, number)
            further.update()
    torch.testing.assert_close(further.state(), average.state(), rtol=0, atol=0)


def change(network: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight += torch.randn(weight.shape, generator=generator)


def test_use_average() -> None:
    network, other = Tied(), Tied()
    average = WeightAverage(network, 0.5)
    network.go_to(2.0)
    average.update()
    state: dict[str, Tensor] = average.state()
    use_average(other, state)
    torch.testing.assert_close(other.first, state["first"])
    torch.testing.assert_close(other.mean, state["mean"])
