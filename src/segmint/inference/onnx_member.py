"""A graph of ONNX as a member, which tiles, views and ensembles work with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmint.errors import InputError
from segmint.inference.export_record import ExportRecord
from segmint.inference.member import Member
from segmint.inference.onnx_session import OnnxSession

MEMORY = 2.6
"""Times the memory of the deployed network, that the runtime takes at most: without bands of rows a
U-Net takes 1.7 times as much, and the runtime up to 1.5 times that."""
_SMALL = (5, 8)
"""Pixels of an image that a graph is tried with."""


def onnx_member(session: OnnxSession, record: ExportRecord, *, name: str) -> Member:
    """What a file that segmint wrote answers to normalized images.

    Args:
        session: of the graph with the input ``statistics``.
        record: that the file holds.
        name: for messages, the file.

    Raises:
        InputError: when the graph answers with other classes than the record says.
    """
    # At another size it is the logits that are brought back, as a run does.
    has_logits = "logits" in record.outputs
    output = "logits" if has_logits else "probabilities"
    classes = len(record.classes)
    respond = _checked(answering(session, output), classes, name)
    takes, gives = ((*session.declared(each), None, None)[1] for each in ("image", output))
    _check_classes(gives, classes, name)
    if takes is None or gives is None:
        _try_out(respond, record.channels, name)
    return Member(
        respond=respond,
        preprocessing=record.preprocessing,
        activation=record.activation if has_logits else "none",
        reach=record.reach,
        classes=classes,
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


def _checked(
    respond: Callable[[Tensor], Tensor], classes: int, name: str
) -> Callable[[Tensor], Tensor]:
    """The same answers, refused where they are not (N, K, h, w) float32."""

    def checked(image: Tensor) -> Tensor:
        found = respond(image)
        count, _, *size = image.shape
        if found.ndim == 4:
            _check_classes(found.shape[1], classes, name)
        if found.shape != (count, classes, *size) or found.dtype != torch.float32:
            raise InputError(
                f"{name} cannot be used: it answers with {found.dtype} of shape "
                f"{tuple(found.shape)} to images of shape {tuple(image.shape)}, accepted are "
                "numbers of 32 bits for each class and pixel: export the run again"
            )
        return found

    return checked


def _check_classes(found: int | None, told: int, name: str) -> None:
    if found is not None and found != told:
        raise InputError(
            f"{name} cannot be used: its graph has {found} classes, but its description "
            f"says {told}: export the run again"
        )


def _try_out(respond: Callable[[Tensor], Tensor], channels: int, name: str) -> None:
    try:
        respond(torch.zeros(1, channels, *_SMALL))
    except MemoryError as error:
        raise InputError(
            f"{name} cannot be used: the memory is not enough for an image of "
            f"{'x'.join(map(str, _SMALL))} pixels: export the run again"
        ) from error
