from __future__ import annotations

import torch
from torch import Tensor

from segmint.inference.live_memory import live_memory


def test_what_exists_together_counts() -> None:
    def work(image: Tensor) -> Tensor:
        first = image + 1  # 400 bytes
        second = torch.cat([first, first])  # 800 bytes, beside 400 and the image's 400
        del first
        return second.sum()

    assert live_memory(work, torch.zeros(100)) == 1600


def test_views_and_work_in_place_take_nothing() -> None:
    def work(image: Tensor) -> Tensor:
        return (image * 2).reshape(10, 10).t().add_(1)[2:5].relu_()

    assert live_memory(work, torch.zeros(100)) == 800


def test_shapes_without_values_count_as_well() -> None:
    image = torch.zeros(1, 3, 1000, 1000, device="meta")
    assert live_memory(lambda image: image * 2, image) == 2 * image.nbytes
