"""Recording a module once for images of any size, by ``torch.export``."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from segmint.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.export import ExportedProgram

    from segmint.inference.export_module import ExportModule

FAILURES = (
    RuntimeError,
    AssertionError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    NotImplementedError,
)
"""What the exporters raise for what they cannot record."""

_LOGS = ("", "torch", "onnxscript", "onnx_ir")
"""Loggers of the exporters; the quantizer writes to the first, that of everyone."""
_CELLS = (3, 2)
"""Whole steps of the sides of the example: an export must not take them for small or equal."""


def recorded(module: ExportModule, *, with_statistics: bool = False) -> ExportedProgram:
    """The module as a program for any number of images of any size.

    Args:
        module: what to record.
        with_statistics: the program takes the statistics, too.

    Raises:
        InputError: for a network that cannot be recorded.
    """
    import torch
    from torch.fx.experimental import _config

    sizes = torch.export.Dim.DYNAMIC
    shapes: dict[str, dict[int, object]] = {"image": {0: sizes, 2: sizes, 3: sizes}}
    arguments: tuple[Tensor, ...] = (example(module),)
    if with_statistics:
        shapes["statistics"] = {}
        arguments = (*arguments, module.statistics)
    # So that one image, or one pixel, is not a special case; torch.onnx.export does it as well.
    oblivious = _config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]
    with refused_in_words("torch.export"), quiet(), oblivious:
        return torch.export.export(module, arguments, dynamic_shapes=shapes, strict=False)


def example(module: ExportModule) -> Tensor:
    """Random images (N, C, H, W) of a size that is nothing special."""
    import torch

    height, width = (cells * module.step for cells in _CELLS)
    if module.most is None:
        height, width = height + module.step // 2 + 1, width + module.step // 3 + 1
    else:
        height, width = min(height, module.most - 3), min(width, module.most - 5)
    size = (2, module.channels, height, width)
    values = torch.rand(size, generator=torch.Generator().manual_seed(0))
    return values * module.full_value


@contextmanager
def refused_in_words(tool: str) -> Iterator[None]:
    """Say in one sentence that a network cannot be exported.

    Args:
        tool: that refuses.

    Raises:
        InputError: in place of what the tool raises.
    """
    try:
        yield
    except FAILURES as error:
        if "memory" in str(error):
            raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"the network cannot be exported, {tool} says: {lines[0].rstrip('.! ')[:200]}; take "
            "another --format, or train another network"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings and the log of exporters, which are not about the user's network."""
    # Not by logging.disable: torch would describe every step to a log that does not listen.
    loggers = [logging.getLogger(name) for name in _LOGS]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
