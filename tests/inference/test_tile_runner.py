from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from segmint.datasets.preprocessing import Preprocessing
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window
from segmint.inference.member import Member
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.networks.reach import Reach

HERE = Window.whole(100, 120)
PIXELS = np.random.default_rng(0).random((100, 120, 1)).astype(np.float32)


class Answers:
    """A network of two classes that has memory for so many pixels alone."""

    def __init__(self, most: int, error: str = "CUDA out of memory") -> None:
        self.most, self.error = most, error
        self.seen: list[tuple[int, ...]] = []

    def __call__(self, image: Tensor) -> Tensor:
        self.seen.append(tuple(image.shape))
        if image[:, 0].numel() > self.most:
            raise RuntimeError(self.error)
        return torch.cat([image, -image], dim=1)


def prediction(answers: Answers, *, halo: int | None, batch: int = 1, **options: Any) -> Any:
    member = Member(
        respond=answers,
        preprocessing=Preprocessing(mean=(0.0,), deviation=(1.0,)),
        activation="softmax",
        reach=Reach(step=4, least=0, halo=halo),
        classes=2,
        bytes_per_pixel=16.0,
        name="a.safetensors",
        batch=batch,
    )
    return TiledPrediction([member], **options)


def check(made: TiledPrediction) -> None:
    found = made.probabilities(ArrayScene.of_array(PIXELS), HERE)
    expected = 1 / (1 + np.exp(-2 * PIXELS[..., 0].astype(float)))
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("halo", [0, 8])
def test_tiles_are_halved_until_they_fit(halo: int) -> None:
    answers = Answers(60 * 60)
    made = prediction(answers, halo=halo)
    check(made)
    side = 30 if halo else 60
    assert made.notes == (f"memory ran out: tiles of {side} pixels instead of 120",)
    before = len(answers.seen)
    check(made)
    assert all(rows * columns <= 60 * 60 for _, _, rows, columns in answers.seen[before:])


def test_overlapping_tiles_are_halved() -> None:
    made = prediction(Answers(40 * 40), halo=None)
    check(made)
    assert made.notes == ("memory ran out: tiles of 32 pixels instead of 120",)


def test_the_batch_is_halved_first() -> None:
    answers = Answers(2 * 64 * 64)
    made = prediction(answers, halo=None, batch=4, tile=64)
    check(made)
    assert made.notes[1:] == ("memory ran out: 2 tiles at a time instead of 4",)
    assert "overlapping tiles of 64 pixels" in made.notes[0]
    assert max(shape[0] for shape in answers.seen[1:]) == 2


def test_several_windows_at_a_time() -> None:
    answers = Answers(10**9)
    made = prediction(answers, halo=None, batch=4, tile=64)
    check(made)
    assert len(made.notes) == 1  # that tiles overlap
    assert {shape[0] for shape in answers.seen} <= {1, 2, 3, 4}
    assert max(shape[0] for shape in answers.seen) > 1


def test_where_nothing_fits() -> None:
    with pytest.raises(MemoryError, match=r"not enough memory for a\.safetensors"):
        check(prediction(Answers(10), halo=4))
    with pytest.raises(MemoryError, match=r"not enough memory for a\.safetensors"):
        check(prediction(Answers(10), halo=None))


def test_other_errors_are_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        check(prediction(Answers(10, "shapes do not fit"), halo=4))


def test_tiles_that_are_kept_are_computed_once() -> None:
    answers = Answers(10**9)
    made = prediction(answers, halo=None, tile=64)
    scene = ArrayScene.of_array(PIXELS)
    whole = made.probabilities(scene, HERE)
    number = len(answers.seen)
    again = made.probabilities(scene, Window(top=10, bottom=50, left=60, right=90))
    assert len(answers.seen) == number
    np.testing.assert_allclose(again, whole[:, 10:50, 60:90], atol=1e-6)
