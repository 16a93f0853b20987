"""A network that predicts in 8 bits, without a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import nn

from segmint.datasets.preprocessing import Preprocessing
from segmint.inference.export_module import ExportModule
from segmint.inference.member import Member
from segmint.inference.onnx_file import OnnxFile
from segmint.inference.onnx_member import MEMORY, answering, no_statistics
from segmint.inference.onnx_session import OnnxSession
from segmint.inference.quantization import quantized


def quantized_member(
    network: nn.Module,
    *,
    preprocessing: Preprocessing,
    activation: Literal["softmax", "sigmoid"],
    images: Sequence[NDArray[Any]],
    name: str,
) -> Member:
    """A network as a member that computes in 8 bits on the processor; making it takes seconds.

    Args:
        network: as it learned; it stays as it is.
        preprocessing: what its images go through.
        activation: what makes probabilities of its logits.
        images: some like those that it will see, (H, W, C) in the type of their file and at the
            size of the network; the ranges of values are measured on them.
        name: for messages, the file it is from.

    Raises:
        InputError: when the packages of the extra ``onnx`` are missing, there is no image, or the
            network cannot be exported.
        UsageError: when it is too large.
    """
    exact = Member.of(
        network,
        preprocessing=preprocessing,
        activation=activation,
        device=torch.device("cpu"),
        dtype=torch.float32,
        name=name,
    )
    module = ExportModule(
        [network], preprocessing=preprocessing, activation=activation, outputs=("logits",)
    )
    file = replace(OnnxFile.of(module), statistics=no_statistics(preprocessing.channels))
    as_it_is = replace(preprocessing, resize=0)
    seen = [as_it_is.tensor(image).numpy() for image in images]
    short = quantized(file, seen, channels=preprocessing.channels, classes=exact.classes)
    return replace(
        exact,
        respond=answering(OnnxSession(short.model, name=name), "logits"),
        bytes_per_pixel=MEMORY * exact.bytes_per_pixel,
    )
