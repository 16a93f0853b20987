"""A graph of ONNX as a member, which tiles, views and ensembles work with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmint.inference.export_record import ExportRecord
from segmint.inference.member import Member
from segmint.inference.onnx_session import OnnxSession

MEMORY = 1.4
"""Times the memory that torch takes, that the runtime takes at most (U-Net 1.1, SegFormer 1.3)."""


def onnx_member(session: OnnxSession, record: ExportRecord, *, name: str) -> Member:
    """What a file that segmint wrote answers to normalized images.

    Args:
        session: of the graph with the input ``statistics``.
        record: that the file holds.
        name: for messages, the file.
    """
    # At another size it is the logits that are brought back, as a run does.
    has_logits = "logits" in record.outputs
    return Member(
        respond=answering(session, "logits" if has_logits else "probabilities"),
        preprocessing=record.preprocessing,
        activation=record.activation if has_logits else "none",
        reach=record.reach,
        classes=len(record.classes),
        bytes_per_pixel=MEMORY * record.bytes_per_pixel,
        name=name,
    )


def answering(session: OnnxSession, output: str) -> Callable[[Tensor], Tensor]:
    """A function from normalized images (N, C, h, w) to one of the answers of a graph."""

    def respond(image: Tensor) -> Tensor:
        statistics = no_statistics(image.shape[1])
        (found,) = session(image.numpy(), statistics, outputs=(output,))
        return torch.from_numpy(found)

    return respond


def no_statistics(channels: int) -> NDArray[np.float32]:
    """(2, C) that leave images as they are."""
    return np.stack([np.zeros(channels, np.float32), np.ones(channels, np.float32)])
