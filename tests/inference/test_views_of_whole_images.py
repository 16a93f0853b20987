"""Views, against whole images that are scaled and turned one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from segmint.images.window import Window, blocks
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.inference.views import Views

sys.path.insert(0, str(Path(__file__).parent))
from tiling_example import MEASURED, assembled, known, network, picture, plain_logits, scene_of

Turn = Callable[[Tensor], Tensor]
QUARTERS: list[tuple[Turn, Turn]] = [
    (
        lambda x, k=k: torch.rot90(x, k, (-2, -1)),  # type: ignore[misc]
        lambda x, k=k: torch.rot90(x, -k, (-2, -1)),  # type: ignore[misc]
    )
    for k in range(4)
]
FLIPS: list[tuple[Turn, Turn]] = [
    (lambda x, axes=axes: x.flip(axes), lambda x, axes=axes: x.flip(axes))  # type: ignore[misc]
    for axes in ((), (-1,), (-2,), (-2, -1))
]
TRANSPOSED: list[tuple[Turn, Turn]] = [
    (
        lambda x, k=k: torch.rot90(x, k, (-2, -1)).flip(-1),  # type: ignore[misc]
        lambda x, k=k: torch.rot90(x.flip(-1), -k, (-2, -1)),  # type: ignore[misc]
    )
    for k in range(4)
]


def turns(views: Views) -> list[tuple[Turn, Turn]]:
    """Ways to turn an image and back again, written down case by case."""
    if views.flips and views.rotations:
        return QUARTERS + TRANSPOSED
    return FLIPS if views.flips else QUARTERS if views.rotations else QUARTERS[:1]


def by_brute_force(network: nn.Module, pixels: NDArray[Any], views: Views) -> NDArray[np.float32]:
    """(K, H, W), the mean over whole images that are scaled and turned one by one."""
    height, width = pixels.shape[:2]
    image = MEASURED.tensor(pixels)
    found = []
    for scale in (1.0, *views.scales):
        size = max(1, round(height * scale)), max(1, round(width * scale))
        scaled = functional.interpolate(image, size, mode="bilinear", antialias=True)
        for turn, back in turns(views):
            turned = turn(scaled).contiguous()
            logits = back(plain_logits(network, turned, tuple(turned.shape[-2:])))
            if size != (height, width):
                logits = functional.interpolate(
                    logits[None], (height, width), mode="bilinear", align_corners=False
                )[0]
            found.append(logits.softmax(dim=0))
    return torch.stack(found).mean(dim=0).numpy()


@pytest.mark.parametrize("tile", [None, 64])
@pytest.mark.parametrize("name", ["unet", "unet-original"])
@pytest.mark.parametrize(
    "views",
    [
        Views(flips=True),
        Views(rotations=True),
        Views(flips=True, rotations=True),
        Views(scales=(0.5, 1.3)),
        Views(flips=True, rotations=True, scales=(0.8,)),
    ],
)
def test_the_mean_of_whole_images(name: str, views: Views, tile: int | None) -> None:
    # Values that are not rounded when they are scaled.
    image = picture(83, 110, kind=np.float32)
    answer = TiledPrediction([known(name)], views=views, tile=tile)
    expected = by_brute_force(network(name), image, views)
    scene = scene_of(image)
    found = assembled(answer, scene, blocks(83, 110, (60, 47)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    labels = answer.labels(scene, Window.whole(83, 110))
    assert (labels == expected.argmax(axis=0)).mean() > 0.999
    (each,) = answer.each(scene, Window.whole(83, 110))
    np.testing.assert_allclose(each, expected, rtol=0, atol=1e-4)


def check(size: tuple[int, int], views: Views) -> None:
    image = picture(*size, kind=np.float32)
    answer = TiledPrediction([known()], views=views, tile=64)
    found = assembled(answer, scene_of(image), blocks(*size, (40, 50)))
    expected = by_brute_force(network(), image, views)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@settings(max_examples=10)
@given(size=st.tuples(st.integers(1, 70), st.integers(1, 70)), flips=st.booleans())
@example(size=(1, 1), flips=True)
def test_images_of_any_size(size: tuple[int, int], flips: bool) -> None:
    check(size, Views(flips=flips, rotations=True))


@settings(max_examples=10)
@given(
    # Torch itself repeats the first row of an image that is one pixel wide.
    size=st.tuples(st.integers(10, 70), st.integers(10, 70)),
    scale=st.floats(0.2, 2.5),
)
def test_any_scale(size: tuple[int, int], scale: float) -> None:
    check(size, Views(flips=True, scales=(scale,)))


def test_pixels_of_8_bits_are_rounded_when_they_are_scaled() -> None:
    views = Views(scales=(0.7, 1.4))
    image = picture(83, 110)
    found = assembled(
        TiledPrediction([known()], views=views), scene_of(image), blocks(83, 110, (83, 110))
    )
    np.testing.assert_allclose(found, by_brute_force(network(), image, views), rtol=0, atol=0.03)


def test_networks_that_look_everywhere() -> None:
    views = Views(flips=True, rotations=True, scales=(0.7,))
    image = picture(60, 51, kind=np.float32)
    answer = TiledPrediction([known("instance")], views=views, tile=64)
    found = assembled(answer, scene_of(image), blocks(60, 51, (40, 30)))
    expected = by_brute_force(network("instance"), image, views)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_views_and_members_count_the_same() -> None:
    views = Views(flips=True, scales=(1.5,))
    image = picture(60, 51, kind=np.float32)
    answer = TiledPrediction([known(), known("unet", 1)], views=views)
    found = assembled(answer, scene_of(image), blocks(60, 51, (60, 51)))
    expected = [by_brute_force(network("unet", seed), image, views) for seed in (0, 1)]
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=0, atol=1e-4)


def test_views_after_the_size_of_the_network() -> None:
    small = replace(known(), preprocessing=replace(MEASURED, resize=40))
    image = picture(60, 81, kind=np.float32)
    found = assembled(
        TiledPrediction([small], views=Views(scales=(1.5,))),
        scene_of(image),
        blocks(60, 81, (33, 40)),
    )
    expected = []
    for size in ((40, 54), (60, 81)):
        scaled = functional.interpolate(
            MEASURED.tensor(image), size, mode="bilinear", antialias=True
        )
        expected.append(plain_logits(network(), scaled, (60, 81)).softmax(dim=0).numpy())
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=0, atol=1e-4)
