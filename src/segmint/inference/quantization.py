"""Graphs that compute in 8 bits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.inference.onnx_file import OnnxFile
from segmint.inference.recording import quiet, refused_in_words

if TYPE_CHECKING:
    from onnx import ModelProto

_IN_8_BITS = ("Conv", "Add", "Relu", "MaxPool", "Concat")
"""Operations that lose little by it."""
_WARNINGS, _ERRORS_ONLY = 2, 3
"""What the runtime logs, first as it is without our doing."""


def quantized(
    file: OnnxFile, images: Iterable[NDArray[np.float32]], *, channels: int, classes: int
) -> OnnxFile:
    """The graph with convolutions of 8-bit values, whose ranges are those of some images.

    Weights have a scale for each channel. The first convolution, whose input has more values than
    features have, and the last, whose output becomes the answer, stay in float32: they cost little
    and are most of the error.

    Args:
        file: in float32.
        images: (N, C, H, W) in the units of its statistics.
        channels: C of the images.
        classes: K of the answer.

    Raises:
        InputError: without an image, or for a graph that cannot be quantized.

    Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", CVPR 2018.
    """
    import onnx

    feeds = [{"image": image, "statistics": file.statistics} for image in images]
    if not feeds:
        raise InputError("8-bit arithmetic needs images to measure ranges on: give some")
    with (
        tempfile.TemporaryDirectory() as folder,
        _quiet(),
        refused_in_words("onnxruntime.quantization"),
    ):
        path = Path(folder) / "model.onnx"
        onnx.save_model(file.model, path)
        model = _quantized(_prepared(path), feeds, (channels, classes))
    _forget_unused_domains(model)
    return OnnxFile(model=model, statistics=file.statistics)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the log of the runtime, too, which tells of every constant that it computes."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
    try:
        with quiet():
            yield
    finally:
        onnxruntime.set_default_logger_severity(_WARNINGS)


def _prepared(path: Path) -> Path:
    """The graph with constants computed and normalization folded into convolutions."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = path.with_name(f"prepared-{path.name}")
    # Sizes are symbols here, which the symbolic shape inference does not always understand.
    quant_pre_process(path, prepared, skip_symbolic_shape=True)
    return prepared


def _quantized(path: Path, feeds: Sequence[Any], ends: tuple[int, int]) -> ModelProto:
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    written = path.with_name("quantized.onnx")
    quantize_static(
        path,
        written,
        _Feeds(feeds),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=list(_IN_8_BITS),
        nodes_to_exclude=_ends(onnx.load_model(path), *ends),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return onnx.load_model(written)


def _ends(model: ModelProto, channels: int, classes: int) -> list[str]:
    """Names of convolutions that see the image or make the answer."""
    shapes = {each.name: each.dims for each in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return [
        node.name
        for node in convolutions
        if shapes[node.input[1]][0] == classes or shapes[node.input[1]][1] == channels
    ]


class _Feeds:
    """Images one after the other, as the quantizer asks for them."""

    def __init__(self, feeds: Sequence[Any]) -> None:
        self._feeds: Iterator[Any] = iter(feeds)

    def get_next(self) -> Any:
        return next(self._feeds, None)


def _forget_unused_domains(model: ModelProto) -> None:
    used = {node.domain for node in model.graph.node}
    kept = [each for each in model.opset_import if each.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
