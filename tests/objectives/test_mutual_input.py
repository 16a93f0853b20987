"""What mutual learning says of peers, options and pixels that it cannot take."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from segmint.errors import InputError, UsageError
from segmint.objectives import mutual_losses

SHAPE = (2, 4, 3, 5)
BOTH = [[1], [0]]


def made(peers: int, shape: tuple[int, ...] = SHAPE) -> list[Tensor]:
    return [torch.zeros(shape) for _ in range(peers)]


@pytest.mark.parametrize("peers", [0, 1])
def test_too_few_peers(peers: int) -> None:
    with pytest.raises(UsageError, match=f"two peers or more, received {peers}"):
        mutual_losses(made(peers), [[]] * peers)


@pytest.mark.parametrize("shape", [(2, 5, 3, 5), (2, 4, 6, 10), (1, 4, 3, 5)])
def test_peers_of_unlike_shapes(shape: tuple[int, ...]) -> None:
    logits = [*made(2), *made(1, shape)]
    with pytest.raises(InputError, match=r"peer 0 have the shape .2, 4, 3, 5. and those of peer 2"):
        mutual_losses(logits, [[1, 2], [0, 2], [0, 1]])


@pytest.mark.parametrize(
    "peer",
    [torch.zeros(2, 4), torch.zeros(2, 0, 3, 5), torch.zeros(SHAPE, dtype=torch.int64)],
    ids=["flat", "no classes", "integers"],
)
def test_peers_that_are_no_logits(peer: Tensor) -> None:
    with pytest.raises(InputError, match=r"logits of peer 1 have the shape .*, accepted is"):
        mutual_losses([*made(1), peer], BOTH)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature is 0.0, accepted is a number from 0.001 to 1e"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": 1e-300}, "temperature is 1e-300"),
        ({"temperature": 1e300}, "temperature is 1e.300"),
        ({"temperature": 0.0009}, "temperature is 0.0009"),
        ({"temperature": 1000001}, "temperature is 1000001"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"mode": "all"}, "mode is 'all', accepted are ensemble, pairwise"),
        ({"gate": "left"}, "gate is 'left', accepted are none, surer, right"),
        ({"gate": "right"}, "gate is 'right', .* give the mask"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        mutual_losses(made(2), BOTH, **options)


@pytest.mark.parametrize(
    ("teachers", "message"),
    [
        ([[0], [0]], "teacher 0 of peer 0 is no other peer: accepted are 0 to 1 but 0"),
        ([[1], [2]], "teacher 2 of peer 1 is no other peer"),
        ([[-1], [0]], "teacher -1 of peer 0 is no other peer"),
        ([[1, 1], [0]], "teacher 1 of peer 0 .* accepted are 0 to 1 but 0, each once"),
        ([[1.0], [0]], "teacher 1.0 of peer 0 is no other peer"),
        ([[0.5], [0]], "teacher 0.5 of peer 0 is no other peer"),
        ([[1]], "teachers has 1 entries, but there are 2 peers"),
    ],
)
def test_teachers_that_are_none(teachers: list[list[int]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        mutual_losses(made(2), teachers)


@pytest.mark.parametrize("name", ["where", "mask"])
def test_pixels_of_another_shape(name: str) -> None:
    pixels = torch.zeros(2, 5, 3, dtype=torch.bool)
    with pytest.raises(InputError, match=f"{name} has the shape .2, 5, 3. and the logits .2, 4, 3"):
        mutual_losses(made(2), BOTH, **{name: pixels})  # type: ignore[arg-type]


@pytest.mark.parametrize("temperature", [1e-3, 1e6])
def test_temperatures_at_the_ends(temperature: float) -> None:
    logits = [each.normal_().requires_grad_() for each in made(2)]
    found = mutual_losses(logits, BOTH, temperature=temperature)
    sum(found.losses).backward()  # type: ignore[union-attr]
    for loss, peer in zip(found.losses, logits, strict=True):
        assert bool(loss.isfinite())
        assert peer.grad is not None
        assert bool(peer.grad.isfinite().all())


def test_mask_is_of_integers() -> None:
    with pytest.raises(InputError, match=r"mask is of the type torch.float32, accepted are int"):
        mutual_losses(made(2), BOTH, mask=torch.zeros(2, 3, 5), gate="right")


def test_where_is_boolean() -> None:
    where = torch.ones(2, 3, 5, dtype=torch.int64)
    with pytest.raises(
        InputError, match=r"where is of the type torch.int64, accepted is torch.bool"
    ):
        mutual_losses(made(2), BOTH, where=where)
