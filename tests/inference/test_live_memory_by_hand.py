"""Memory of small calculations, counted by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.inference.live_memory import live_memory

IMAGE = torch.ones(1, 1, 8, 8)
OWN = 256


def inplace(image: Tensor) -> Tensor:
    return (image * 2).relu_().add_(1)


def one_after_the_other(image: Tensor) -> Tensor:
    for _ in range(5):
        image = image + 1
    return image


def all_together(image: Tensor) -> Tensor:
    return torch.stack([image + number for number in range(5)])


def views(image: Tensor) -> Tensor:
    return (image + 1)[..., :4].transpose(2, 3).reshape(1, 1, 4, 8).flatten()[:3]


def dropped(image: Tensor) -> Tensor:
    large = image.repeat(1, 100, 1, 1)
    del large
    return image.repeat(1, 50, 1, 1)


@pytest.mark.parametrize(
    ("respond", "values"),
    [
        (lambda image: image, 64),
        (inplace, 2 * 64),
        (one_after_the_other, 3 * 64),
        (all_together, 64 + 5 * 64 + 5 * 64),
        # The view that is not contiguous is copied.
        (views, 64 + 64 + 32),
        (dropped, 101 * 64),
        (lambda image: functional.max_pool2d(image, 2), 64 + 16 + 2 * 16),
        (lambda image: image.sum(), 65),
    ],
)
def test_counted_by_hand(respond: Callable[[Tensor], Tensor], values: int) -> None:
    assert live_memory(respond, IMAGE.clone()) == 4 * values


def test_other_types() -> None:
    assert live_memory(lambda image: image.double(), IMAGE.clone()) == OWN + 2 * OWN
    assert live_memory(lambda image: image.bfloat16(), IMAGE.clone()) == OWN + OWN // 2


def test_weights_do_not_count_and_nothing_stays() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1)).eval()

    def respond(image: Tensor) -> Tensor:
        with torch.inference_mode():
            return network(image)

    # The ReLU holds its input and its output at once, four channels each.
    assert live_memory(respond, IMAGE.clone()) == OWN * (1 + 4 + 4)
    assert live_memory(respond, IMAGE.clone()) == OWN * (1 + 4 + 4)


def test_grows_with_the_image() -> None:
    network = nn.Conv2d(1, 3, 3, padding=1)
    sizes = [live_memory(network, torch.ones(1, 1, side, side)) for side in (8, 16)]
    assert sizes == [4 * 4 * 64, 4 * 4 * 256]
