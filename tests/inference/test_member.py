from __future__ import annotations

from typing import Any

import pytest
import torch

from segmint.datasets.preprocessing import Preprocessing
from segmint.inference.live_memory import live_memory
from segmint.inference.member import Member
from segmint.networks import build
from segmint.networks.reach import Reach


def member(name: str, dtype: torch.dtype = torch.float32, **options: Any) -> Member:
    return Member.of(
        build(name, in_channels=3, classes=4, **options),
        preprocessing=Preprocessing(mean=(0.5,) * 3, deviation=(0.5,) * 3),
        activation="softmax",
        device=torch.device("cpu"),
        dtype=dtype,
        name="a.safetensors",
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_it_says_of_itself(dtype: torch.dtype) -> None:
    made = member("unet", dtype, features=4, levels=2)
    assert made.reach == Reach(step=4, least=0, halo=24)
    assert (made.classes, made.name, made.batch) == (4, "a.safetensors", 1)
    logits = made.respond(torch.zeros(2, 3, 8, 12))
    assert logits.shape == (2, 4, 8, 12) and logits.dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet", {"features": 8, "levels": 2}),
        ("smp:unet/resnet18", {}),
        ("smp:deeplabv3plus/resnet18", {}),
    ],
)
def test_memory_is_what_a_real_image_takes(name: str, options: dict[str, Any]) -> None:
    made = member(name, **options)
    image = torch.zeros(1, 3, 512, 512).contiguous(memory_format=torch.channels_last)
    taken = live_memory(made.respond, image) / 512**2
    # A large image takes less a pixel: weights count once, and bands of rows are as large.
    assert 0.4 * taken < made.bytes_per_pixel < 1.1 * taken


def test_short_values_take_half() -> None:
    long, short = (
        member("unet", dtype, features=8, levels=2).bytes_per_pixel
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert 0.4 * long < short < 0.75 * long
