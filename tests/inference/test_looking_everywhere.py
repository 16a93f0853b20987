"""Tiles of networks in which every output looks at everything."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from segmint.images.window import Window, blocks
from segmint.inference.blending import tile_starts
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.networks.padding import padded
from segmint.networks.reach import Reach

sys.path.insert(0, str(Path(__file__).parent))
from tiling_example import (
    MEASURED,
    assembled,
    known,
    network,
    picture,
    plain,
    plain_logits,
    scene_of,
)


def whole(height: int, width: int) -> list[Window]:
    return [Window.whole(height, width)]


def near(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_small_images_are_seen_whole() -> None:
    for size in ((1, 3), (50, 61), (64, 64)):
        image = picture(*size)
        for tile in (None, 64):
            found = assembled(
                TiledPrediction([known("instance")], tile=tile), scene_of(image), whole(*size)
            )
            near(found, plain(network("instance"), image))


def test_as_large_as_is_asked_without_a_limit() -> None:
    image = picture(150, 131)
    answer = TiledPrediction([known("instance")])
    found = assembled(answer, scene_of(image), blocks(150, 131, (64, 40)))
    near(found, plain(network("instance"), image))


def test_tiles_are_weighed_by_bells() -> None:
    height, width, tile = 101, 149, 64
    image = picture(height, width)
    larger, inside = padded(MEASURED.tensor(image), 2)
    rows, columns = larger.shape[-2:]
    total, weights = np.zeros((3, rows, columns)), np.zeros((rows, columns))
    places = (np.arange(tile) - (tile - 1) / 2) / (tile / 8)
    bell = np.exp(-(places**2) / 2)
    for top in tile_starts(rows, tile, 2):
        for left in tile_starts(columns, tile, 2):
            place = (slice(top, top + tile), slice(left, left + tile))
            part = plain_logits(network("instance"), larger[..., *place], (tile, tile))
            total[:, *place] += part.numpy() * bell[:, None] * bell
            weights[place] += bell[:, None] * bell
    logits = torch.from_numpy((total / weights)[inside])
    answer = TiledPrediction([known("instance")], tile=tile)
    found = assembled(answer, scene_of(image), blocks(height, width, (64, 64)))
    near(found, logits.softmax(dim=0).numpy())


@given(block=st.tuples(st.integers(1, 120), st.integers(30, 140)))
@settings(max_examples=8)
def test_windows_make_no_difference_at_all(block: tuple[int, int]) -> None:
    scene, members = scene_of(picture(97, 140)), [known("instance")]
    expected = assembled(TiledPrediction(members, tile=64), scene, whole(97, 140))
    found = assembled(TiledPrediction(members, tile=64), scene, blocks(97, 140, block))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-7)
    labels = TiledPrediction(members, tile=64).labels
    for window in blocks(97, 140, block):
        part = labels(scene, window)
        np.testing.assert_array_equal(part, expected[:, *window.slices].argmax(axis=0))


def test_tiles_are_answered_once() -> None:
    calls: list[int] = []

    def respond(image: Tensor) -> Tensor:
        calls.append(len(image))
        return known("instance").respond(image)

    answer = TiledPrediction([replace(known("instance"), respond=respond)], tile=64)
    scene = scene_of(picture(128, 128))
    first = assembled(answer, scene, blocks(128, 128, (32, 32)))
    tiles = len(tile_starts(128, 64, 2)) ** 2
    assert sum(calls) == tiles
    np.testing.assert_array_equal(assembled(answer, scene, blocks(128, 128, (64, 64))), first)
    assert sum(calls) == tiles
    other = assembled(answer, scene_of(picture(128, 128, 1)), blocks(128, 128, (64, 64)))
    assert sum(calls) == 2 * tiles
    assert not np.array_equal(other, first)


def test_a_constant_stays_one() -> None:
    def respond(image: Tensor) -> Tensor:
        shape = (len(image), 3, *image.shape[-2:])
        return torch.tensor([1.0, -2.0, 0.5])[:, None, None].expand(shape)

    constant = replace(known("instance"), respond=respond)
    found = assembled(
        TiledPrediction([constant], tile=64), scene_of(picture(150, 99)), whole(150, 99)
    )
    expected = np.exp([1, -2, 0.5]) / np.exp([1, -2, 0.5]).sum()
    near(found, np.broadcast_to(expected[:, None, None], found.shape))


def test_networks_of_one_size() -> None:
    seen = set()

    def respond(image: Tensor) -> Tensor:
        seen.add(tuple(image.shape[-2:]))
        return image * 2

    reach = Reach(step=48, least=0, halo=None, most=48)
    fixed = replace(known("instance"), reach=reach, respond=respond)
    image = picture(100, 130)
    for tile in (None, 64):
        found = assembled(
            TiledPrediction([fixed], tile=tile), scene_of(image), blocks(100, 130, (77, 60))
        )
        near(found, (2 * MEASURED.tensor(image)[0]).softmax(dim=0).numpy())
    assert seen == {(48, 48)}
