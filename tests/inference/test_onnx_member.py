"""Graphs that answer otherwise than their records say, played by functions."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import InputError
from segmint.inference.export_record import ExportRecord
from segmint.inference.member import Member
from segmint.inference.onnx_member import onnx_member
from segmint.inference.onnx_session import OnnxSession
from segmint.networks.reach import Reach

RECORD = ExportRecord(
    recipe="unet",
    seed=0,
    classes=("a", "b", "c"),
    palette=((0, 0, 0),) * 3,
    channels=2,
    preprocessing=Preprocessing(mean=(0.0, 0.0), deviation=(1.0, 1.0)),
    activation="softmax",
    outputs=("labels", "probabilities"),
    reach=Reach(step=1, least=0, halo=0),
    bytes_per_pixel=1.0,
)


class Played:
    """A session that gives zeros of some classes, whatever it declares."""

    def __init__(self, *, gives: Any, declares: Any, kind: type = np.float32) -> None:
        self.gives, self.declares, self.kind, self.asked = gives, declares, kind, 0

    def declared(self, name: str) -> tuple[int | None, ...]:
        return self.declares if name != "image" else (None, 2, None, None)

    def __call__(self, image: Any, statistics: Any, *, outputs: tuple[str, ...]) -> Any:
        self.asked += 1
        if self.gives is None:
            raise MemoryError
        return (np.zeros((len(image), *self.gives, *image.shape[2:]), self.kind),)


def member(played: Played) -> Member:
    return onnx_member(cast(OnnxSession, played), RECORD, name="a.onnx")


def test_a_graph_that_declares_its_classes_is_not_tried() -> None:
    played = Played(gives=(3,), declares=(None, 3, None, None))
    assert member(played).classes == 3
    assert played.asked == 0
    with pytest.raises(InputError, match=r"a\.onnx .* its graph has 5 classes, .* says 3: export"):
        member(Played(gives=(3,), declares=(None, 5, None, None)))


@pytest.mark.parametrize("declares", [(), (None,), (None, None, None, None)])
def test_a_graph_that_leaves_them_open_is_tried(declares: tuple[None, ...]) -> None:
    assert member(Played(gives=(3,), declares=declares)).classes == 3
    for gives, sentence in (
        ((5,), "has 5 classes, .* says 3"),
        ((), r"answers with torch.float32 of shape \(1, 5, 8\)"),
        ((3, 1), r"of shape \(1, 3, 1, 5, 8\)"),
        (None, "the memory is not enough for an image of 5x8 pixels"),
    ):
        with pytest.raises(InputError, match=sentence):
            member(Played(gives=gives, declares=declares))


def test_a_graph_that_declares_a_lie_is_refused_when_it_answers() -> None:
    image = torch.zeros(1, 2, 6, 7)
    lie = member(Played(gives=(4,), declares=(None, 3, None, None)))
    with pytest.raises(InputError, match="has 4 classes, but its description says 3"):
        lie.respond(image)
    wide = member(Played(gives=(3,), declares=(None, 3, None, None), kind=np.float64))
    with pytest.raises(InputError, match=r"torch\.float64 of shape"):
        wide.respond(image)
