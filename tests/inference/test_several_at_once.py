"""How many images go together, and the bits of each in any place."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from tiling_example import MEASURED, known, picture, scene_of

from segmint.images.window import Window
from segmint.inference.companions import Companions, images_at_once, seen_sizes
from segmint.inference.memory_limit import MemoryLimit
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.inference.views import Views
from segmint.networks.reach import Reach

PLAIN = Views()
STEP_16 = replace(known(), batch=4, reach=Reach(step=16, least=0, halo=64))
"""As it is on a GPU."""


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1, 1), 16),
        ((256, 256), 16),  # 2**20 pixels
        ((256, 257), 8),
        ((321, 481), 4),  # 336 x 496 on the canvas: six would do, and four are a power of two
        ((512, 512), 4),
        ((724, 724), 1),
        ((1024, 1024), 1),
        ((1025, 1024), 1),
        ((8000, 9000), 1),
    ],
)
def test_a_batch_has_about_a_million_pixels(size: tuple[int, int], expected: int) -> None:
    assert images_at_once([STEP_16], PLAIN, size) == expected
    assert images_at_once([STEP_16], PLAIN, size[::-1]) == expected


def test_the_largest_of_all_members_and_views_counts() -> None:
    size = 256, 256
    assert images_at_once([STEP_16], Views(scales=(2.0,)), size) == 4
    assert images_at_once([STEP_16], Views(scales=(0.5,), rotations=True), size) == 16
    reduced = replace(STEP_16, preprocessing=replace(MEASURED, resize=512))
    assert images_at_once([reduced], PLAIN, size) == 4
    assert images_at_once([STEP_16, reduced], PLAIN, size) == 4
    assert images_at_once([STEP_16], PLAIN, size, tile=512) == 4
    assert images_at_once([STEP_16], PLAIN, size, tile=100) == 1


def test_one_on_processors() -> None:
    assert images_at_once([known()], PLAIN, (8, 8)) == 1
    assert images_at_once([STEP_16, known()], PLAIN, (8, 8)) == 1


def test_the_network_sees_what_is_said() -> None:
    given: list[tuple[int, ...]] = []

    def respond(images: Tensor) -> Tensor:
        given.append(tuple(images.shape))
        return images

    views = Views(rotations=True, scales=(0.6, 1.4))
    for resize in (0, 24):
        given.clear()
        member = replace(known(), respond=respond, preprocessing=replace(MEASURED, resize=resize))
        made = TiledPrediction([member], views=views)
        scene = scene_of(picture(37, 50))
        assert made.probabilities_together([scene, scene], places=4) is not None
        assert {shape[2:] for shape in given} == set(seen_sizes(member, views, scene.size))
        assert {shape[:2] for shape in given} == {(4, 3)}


@pytest.mark.parametrize("name", ["unet", "unet-original", "instance"])
def test_together_as_alone(name: str) -> None:
    members = [known(name), known("unet", 1)]
    made = TiledPrediction(members, views=Views(flips=True))
    scenes = [scene_of(picture(37, 50, seed)) for seed in range(3)]
    found = made.probabilities_together(scenes, places=4)
    assert found is not None
    for maps, scene in zip(found, scenes, strict=True):
        alone = made.probabilities(scene, Window.whole(37, 50))
        np.testing.assert_allclose(maps, alone, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["unet", "instance"])
def test_more_than_one_tile(name: str) -> None:
    made = TiledPrediction([known(name)], tile=64)
    scenes = [scene_of(picture(80, 50, seed)) for seed in range(2)]
    assert made.probabilities_together(scenes, places=2) is None
    assert not made.fit_together((80, 50), 2)
    assert made.fit_together((32, 64), 2)
    assert not made.fit_together((32, 64), 3)
    scaled = TiledPrediction([known(name)], tile=64, views=Views(scales=(2.0,)))
    assert not scaled.fit_together((32, 64), 2)
    assert TiledPrediction([known(name)]).fit_together((5000, 5000), 16)


def test_a_little_memory() -> None:
    from segmint.inference.memory_limit import held_memory

    made = TiledPrediction([known()], limit=MemoryLimit(held_memory() + 2**28))
    tile = made.tile
    assert tile is not None
    assert made.fit_together((tile // 2, tile // 2), 4)
    assert not made.fit_together((tile // 2, tile // 2), 5)


def test_each_shape_is_tried_once() -> None:
    given: list[int] = []

    def respond(images: Tensor) -> Tensor:
        given.append(len(images))
        return images

    member, companions = replace(known(), respond=respond), Companions()
    for _ in range(2):
        assert companions.are_harmless(member, PLAIN, (20, 30), places=2)
        assert companions.are_harmless(member, PLAIN, (20, 30), places=4)
    assert given == [2, 2, 4, 4]
    assert companions.are_harmless(member, Views(rotations=True), (20, 30), places=4)
    assert given == [2, 2, 4, 4, 4, 4]


@pytest.mark.parametrize("place", range(4))
def test_a_single_place_that_differs_is_found(place: int) -> None:
    def respond(images: Tensor) -> Tensor:
        found = images.clone()
        found[place] += 1e-6
        return found

    assert not Companions().are_harmless(
        replace(known(), respond=respond), PLAIN, (20, 30), places=4
    )


def test_companions_that_matter_are_found() -> None:
    def respond(images: Tensor) -> Tensor:
        return torch.nn.functional.batch_norm(images, None, None, training=True)

    assert not Companions().are_harmless(
        replace(known(), respond=respond), PLAIN, (20, 30), places=2
    )
