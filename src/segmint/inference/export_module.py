"""From stored values to classes, as one module that can be recorded once for images of any size."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.datasets.preprocessing import Preprocessing
from segmint.networks.normalization import Normalization
from segmint.networks.padding import already_padded

Output = Literal["labels", "probabilities", "logits"]
"""What an exported file can answer with."""

ANSWERS: tuple[Output, ...] = ("labels", "probabilities")
"""What every exported file answers with."""


class ExportModule(nn.Module):
    """Normalization, padding, networks, probabilities and cropping in one.

    Nothing in it depends on the size of an image but by arithmetic that is part of the recording.

    Args:
        networks: as they learned; several answer with the mean of their probabilities.
        preprocessing: of the run; ``resize`` is left to the caller.
        activation: ``softmax``, or ``sigmoid`` for independent probabilities that are brought to a
            sum of 1.
        full_value: largest value that can be stored, 255 for 8 bits.
        outputs: what it answers with, in this order; ``logits`` of one network alone.

    Example:
        >>> from segmint.networks import build
        >>> network = build("unet", features=2, levels=1, classes=5)
        >>> preprocessing = Preprocessing(mean=(0.5,) * 3, deviation=(0.25,) * 3)
        >>> module = ExportModule([network], preprocessing=preprocessing, activation="softmax")
        >>> [tuple(output.shape) for output in module(torch.zeros(2, 3, 13, 8))]
        [(2, 13, 8), (2, 5, 13, 8)]
    """

    statistics: Tensor

    def __init__(
        self,
        networks: Sequence[nn.Module],
        *,
        preprocessing: Preprocessing,
        activation: Literal["softmax", "sigmoid"],
        full_value: float = 255.0,
        outputs: tuple[Output, ...] = ANSWERS,
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(_recordable(network) for network in networks)
        self.steps = [int(cast(Any, getattr(network, "step", 1))) for network in networks]
        self.leasts = [int(cast(Any, getattr(network, "least", 0))) for network in networks]
        self.most = _smallest([getattr(network, "most", None) for network in networks])
        self.activation, self.full_value, self.outputs = activation, full_value, outputs
        self.channels = preprocessing.channels
        self.measures = preprocessing.normalization == "image"
        self.register_buffer("statistics", _statistics(preprocessing, full_value))
        self.eval()

    @property
    def step(self) -> int:
        """Height and width become multiples of a divisor of it."""
        return math.lcm(*self.steps)

    def forward(self, image: Tensor, statistics: Tensor | None = None) -> tuple[Tensor, ...]:
        """What :attr:`outputs` names of images (N, C, H, W) float32 in stored units.

        ``labels`` are (N, H, W) int64, ``probabilities`` and ``logits`` (N, K, H, W) float32.

        Args:
            image: of any size.
            statistics: (2, C), what is subtracted from each channel and what it is divided by;
                None takes those of the run; with its normalization ``image`` they are measured on
                each image where the second is 0.
        """
        given = self.statistics if statistics is None else statistics
        normalized = _normalized(image, given, measures=self.measures)
        logits = [self._logits(index, normalized) for index in range(len(self.networks))]
        probabilities = self._probabilities(logits[0])
        for other in logits[1:]:
            probabilities = probabilities + self._probabilities(other)
        if len(logits) > 1:
            probabilities = probabilities / len(logits)
        found = {
            "labels": lambda: probabilities.argmax(dim=1),
            "probabilities": lambda: probabilities,
            "logits": lambda: logits[0],
        }
        return tuple(found[name]() for name in self.outputs)

    def _logits(self, index: int, image: Tensor) -> Tensor:
        step, least = self.steps[index], self.leasts[index]
        rows, inner_rows = _indices(image.shape[-2], step, least, image.device)
        columns, inner_columns = _indices(image.shape[-1], step, least, image.device)
        larger = image.index_select(2, rows).index_select(3, columns)
        with already_padded():
            logits = self.networks[index](larger)
        return cast(Tensor, logits.index_select(2, inner_rows).index_select(3, inner_columns))

    def _probabilities(self, logits: Tensor) -> Tensor:
        if self.activation == "sigmoid":
            # In logarithms, because all of them may be far below the smallest float.
            logits = functional.logsigmoid(logits)
        return logits.softmax(dim=1)


def _statistics(preprocessing: Preprocessing, full_value: float) -> Tensor:
    """(2, C) in stored units, zeros where every image has its own."""
    if preprocessing.normalization == "image":
        return torch.zeros(2, preprocessing.channels)
    numbers = torch.tensor([preprocessing.mean, preprocessing.deviation], dtype=torch.float64)
    return (numbers * full_value).float()


def _normalized(image: Tensor, given: Tensor, *, measures: bool) -> Tensor:
    center, spread = (each[:, None, None].double() for each in given.unbind())
    if measures:
        own_center, own_spread = _moments(image)
        is_measured = spread <= 0
        center = torch.where(is_measured, own_center, center)
        spread = torch.where(is_measured, own_spread, spread)
    return (image - center.float()) * spread.reciprocal().float()


def _moments(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation (N, C, 1, 1) float64 of each channel; the latter 1 where there is none."""
    wide = image.double()
    mean = wide.mean(dim=(2, 3), keepdim=True)
    deviation = (wide - mean).square().mean(dim=(2, 3), keepdim=True).sqrt()
    return mean, torch.where(deviation > 0, deviation, torch.ones_like(deviation))


def _indices(size: int, step: int, least: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Of each row of the padded image the row it repeats; and where the image lies in it.

    As :func:`segmint.networks.padding.padded`, without a decision by the size.
    """
    cells = (size + step - 1) // step
    cells = _at_least(cells, -(-least // step))
    before = (cells * step - size) // 2
    outer = torch.arange(cells * step, device=device) - before
    inner = torch.arange(size, device=device) + before
    return outer.clamp(min=0).clamp(max=size - 1), inner


def _at_least(number: Any, least: int) -> Any:
    """The larger of two, of which the first may be a tensor or a symbol while a graph is made."""
    if least == 0:
        return number
    if isinstance(number, Tensor):
        return number.clamp(min=least)
    return torch.sym_max(number, least)  # type: ignore[no-untyped-call]


def _recordable(network: nn.Module) -> nn.Module:
    """A copy that predicts, without anything that depends on the number of images."""
    own = copy.deepcopy(network).eval().requires_grad_(False)
    for parent in list(own.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Normalization) and child.statistics == "image":
                setattr(parent, name, _ImageNormalization(child))
    # Recordings that say how values lie in memory hold for fewer sizes.
    return own.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]


class _ImageNormalization(nn.Module):
    """:class:`Normalization` by statistics of each image, in operations that every format has."""

    def __init__(self, source: Normalization) -> None:
        super().__init__()
        self.weight, self.bias, self.epsilon = source.weight, source.bias, source.epsilon

    def forward(self, features: Tensor) -> Tensor:
        mean = features.mean(dim=(2, 3), keepdim=True)
        centered = features - mean
        variance = centered.square().mean(dim=(2, 3), keepdim=True)
        scale = self.weight[:, None, None] * (variance + self.epsilon).rsqrt()
        return centered * scale + self.bias[:, None, None]


def _smallest(sizes: Sequence[Any]) -> int | None:
    known = [int(size) for size in sizes if size is not None]
    return min(known) if known else None
