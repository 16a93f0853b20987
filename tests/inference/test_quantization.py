from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import InputError
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window
from segmint.inference.agreement import agreement_with_float32
from segmint.inference.member import Member
from segmint.inference.quantization import quantized
from segmint.inference.quantized_member import quantized_member
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.networks import build

PREPROCESSING = Preprocessing(mean=(0.4, 0.5, 0.6), deviation=(0.2, 0.3, 0.25))


def picture(seed: int, height: int = 64, width: int = 72) -> np.ndarray:
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
    smooth = np.kron(coarse, np.ones((8, 8, 1)))[:height, :width]
    return (smooth * 0.9 + generator.uniform(0, 25, smooth.shape)).astype(np.uint8)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    network = build("unet", classes=3, features=4, levels=2)
    network.head.weight.data.mul_(10)
    return network.eval()


@pytest.fixture(scope="module")
def short(network: nn.Module) -> Member:
    return quantized_member(
        network,
        preprocessing=PREPROCESSING,
        activation="softmax",
        images=[picture(seed) for seed in range(3)],
        name="network",
    )


def test_8_bits_are_nearly_float32(network: nn.Module, short: Member) -> None:
    exact = Member.of(
        network,
        preprocessing=PREPROCESSING,
        activation="softmax",
        device=torch.device("cpu"),
        dtype=torch.float32,
        name="network",
    )
    assert (short.reach, short.activation, short.classes) == (exact.reach, "softmax", 3)
    answers = [TiledPrediction([member]) for member in (short, exact)]
    scene = ArrayScene.of_array(picture(7, 90, 110))
    found = agreement_with_float32(*answers, scene)
    assert found.pixels == 90 * 110
    assert found.equal > 0.9
    # Not by computing in float32 after all.
    assert 1e-4 < found.difference < 0.3


def test_ranges_are_fixed_so_that_tiles_are_exact(short: Member) -> None:
    """A scale that followed the image would give each tile another."""
    scene = ArrayScene.of_array(picture(8, 150, 170))
    window = Window.whole(150, 170)
    whole = TiledPrediction([short]).probabilities(scene, window)
    tiles = TiledPrediction([short], tile=64).probabilities(scene, window)
    assert tiles == pytest.approx(whole, abs=1e-5)


def test_ranges_need_images() -> None:
    with pytest.raises(InputError, match="needs images to measure ranges on"):
        quantized(None, [], channels=3, classes=3)  # type: ignore[arg-type]
