"""Small networks and pictures, and what a plain call on the whole picture says."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from segmint.datasets.preprocessing import Preprocessing
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window
from segmint.inference.member import Member
from segmint.networks import build

Maps = NDArray[np.float32]

MEASURED = Preprocessing(mean=(0.4, 0.5, 0.6), deviation=(0.2, 0.3, 0.25))
NETWORKS: dict[str, dict[str, Any]] = {
    "unet": {"levels": 2},
    "unet-original": {"levels": 1, "in_channels": 3},
    "instance": {"levels": 1, "normalization": "instance"},
}


@cache
def network(name: str = "unet", seed: int = 0) -> nn.Module:
    """One whose answers differ from place to place, for three classes; do not change it."""
    options = {"in_channels": 3, "features": 4, **NETWORKS[name]}
    found = build("unet" if name == "instance" else name, classes=3, seed=seed, **options).eval()
    generator = torch.Generator().manual_seed(seed)
    for module in found.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    with torch.no_grad():
        found.head.weight -= found.head.weight.mean(dim=0)
        found.head.weight *= 4
    return found


def member(
    network: nn.Module, preprocessing: Preprocessing = MEASURED, activation: Any = "softmax"
) -> Member:
    """The network, ready for tiles."""
    return Member.of(
        network,
        preprocessing=preprocessing,
        activation=activation,
        device=torch.device("cpu"),
        dtype=torch.float32,
        name="runs/a/network.safetensors",
    )


@cache
def known(name: str = "unet", seed: int = 0) -> Member:
    """The member of a network above, made once."""
    return member(network(name, seed))


def picture(height: int, width: int, seed: int = 0, kind: type = np.uint8) -> NDArray[Any]:
    """(H, W, 3) of smooth colors with noise."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / (5 + k) + seed) * np.cos(columns / (7 - k)) for k in range(3)]
    values = 0.5 + 0.4 * np.stack(waves, axis=2) + 0.05 * generator.normal(size=(height, width, 3))
    values = values.clip(0, 1)
    return (
        values.astype(kind)
        if kind in (np.float32, np.float64)
        else ((values * np.iinfo(kind).max).astype(kind))
    )


def plain_logits(network: nn.Module, image: Tensor, size: tuple[int, int]) -> Tensor:
    """(K, H, W) at a size, by one call on a whole normalized image (1, C, h, w)."""
    with torch.inference_mode():
        logits = network(image)
    if logits.shape[-2:] != size:
        logits = functional.interpolate(logits, size, mode="bilinear", align_corners=False)
    return logits[0]


def plain(
    network: nn.Module, pixels: NDArray[Any], preprocessing: Preprocessing = MEASURED
) -> Maps:
    """(K, H, W), the probabilities that one call on a whole image gives."""
    logits = plain_logits(network, preprocessing.tensor(pixels), pixels.shape[:2])
    return logits.softmax(dim=0).numpy()


def scene_of(pixels: NDArray[Any]) -> ArrayScene:
    return ArrayScene.of_array(pixels, stack=pixels.ndim == 4)


def assembled(answer: Any, scene: Any, windows: Iterable[Window], plane: int = 0) -> Maps:
    """(K, H, W) of windows that cover a scene, asked for one by one."""
    found = np.full((answer.classes, *scene.size), np.nan, np.float32)
    for window in windows:
        found[:, *window.slices] = answer.probabilities(scene, window, plane)
    assert np.isfinite(found).all()
    return found
