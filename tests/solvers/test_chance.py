from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from segmint.solvers.chance import reseed

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _chance_stays() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        yield


def drawn(*numbers: int) -> Tensor:
    reseed(CPU, *numbers)
    return torch.rand(4)


def test_is_of_the_numbers_alone() -> None:
    first = drawn(3, 5, 0)
    assert not torch.equal(first, torch.rand(4))
    assert torch.equal(first, drawn(3, 5, 0))
    others = [drawn(*numbers) for numbers in ((5, 3, 0), (3, 5, 1), (3, 5, 0, 1), (4, 5, 0))]
    assert not any(torch.equal(first, other) for other in others)


def test_the_seed_is_that_of_a_seed_sequence() -> None:
    seed = int(np.random.SeedSequence([3, 5, 0]).generate_state(1)[0])
    expected = torch.rand(4, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(drawn(3, 5, 0), expected)


def test_several_networks_get_chance_of_their_own() -> None:
    reseed(CPU, 3, 5, 0)
    base = torch.initial_seed()
    first, second = (drawn(base, zlib.crc32(name)) for name in (b"unet", b"fcn"))
    assert not torch.equal(first, second)
    assert torch.equal(drawn(base, zlib.crc32(b"unet")), first)
