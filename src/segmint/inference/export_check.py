"""Whether an exported file answers what the networks answer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import InputError
from segmint.inference.export_module import ExportModule

Answer = Callable[[NDArray[np.float32]], tuple[NDArray[Any], ...]]
"""Labels (N, H, W) and probabilities (N, K, H, W) of images (N, C, H, W) in stored units."""

LARGEST_DIFFERENCE = 1e-3
"""Of probabilities, for files in float32."""

_TURNS = 2
_RANDOM = ((1, 2, 3, 0), (3, 3, 2, 0), (2, 2, 3, 120))
"""Number of random images, whole steps of their height and width, and their least side."""


@dataclass(frozen=True, kw_only=True)
class ExportCheck:
    """How a file compares with the networks on one batch of images."""

    name: str
    is_real: bool
    """A picture, and not chance."""
    images: int
    height: int
    width: int
    difference: float
    """Largest, of probabilities."""
    equal: float
    """Share of pixels with the same label."""
    unexplained: int
    """Pixels with another label, though the two classes are further apart than the difference."""
    milliseconds: float
    """Median, of an image."""
    torch_milliseconds: float
    """Of the networks in float32, as the run computes them."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What a run answers, step by step and not from the recording."""

    networks: Sequence[nn.Module]
    preprocessing: Preprocessing
    activation: Literal["softmax", "sigmoid"]
    full_value: float

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (N, K, H, W) of images (N, C, H, W) in stored units."""
        pixels = images.transpose(0, 2, 3, 1) / np.float32(self.full_value)
        planes = np.stack([self.preprocessing.normalized(each) for each in pixels])
        tensor = torch.from_numpy(planes).permute(0, 3, 1, 2)
        with torch.inference_mode():
            found = [self._probabilities(network(tensor)) for network in self.networks]
        mean: NDArray[np.float32] = (sum(found[1:], start=found[0]) / len(found)).numpy()
        return mean

    def _probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        if self.activation == "sigmoid":
            logits = functional.logsigmoid(logits)
        return logits.float().softmax(dim=1)


def check_answers(
    answer: Answer,
    expected: Reference,
    module: ExportModule,
    pictures: Sequence[tuple[str, NDArray[np.float32]]],
    *,
    seed: int,
) -> Iterator[ExportCheck]:
    """Compare on random images of several sizes, then on pictures, one after the other.

    Args:
        answer: of the file.
        expected: of the run.
        module: that was exported; it tells sizes.
        pictures: names and pixels (1, C, H, W) in stored units.
        seed: of the random images.
    """
    generator = np.random.default_rng(seed)
    for size in _random_sizes(module):
        noise = generator.random(size, dtype=np.float32) * np.float32(module.full_value)
        yield _compared(answer, expected, "random", noise, is_real=False)
    for name, pixels in pictures:
        yield _compared(answer, expected, name, pixels, is_real=True)


def refuse_differences(
    checks: Sequence[ExportCheck], *, precision: str, least_agreement: float
) -> None:
    """Refuse a file that answers something else than the run.

    Args:
        checks: all comparisons.
        precision: in ``float32`` probabilities must be the same up to rounding; in ``int8`` enough
            labels.
        least_agreement: share of labels that are the same on pictures, for ``int8``.

    Raises:
        InputError: says what differs by how much.
    """
    if precision == "float32":
        worst = max(checks, key=lambda check: _severity(check.difference))
        if not worst.difference <= LARGEST_DIFFERENCE:
            raise InputError(
                f"the exported file differs from the run by {worst.difference:.2g} in a probability"
                f" ({_told(worst)}), accepted is {LARGEST_DIFFERENCE:g}: nothing was written; take "
                "another --format"
            )
        wrong = sum(check.unexplained for check in checks)
        if wrong:
            raise InputError(
                f"the exported file gives {wrong:,} pixels another label than the run though the "
                "classes are not near a tie: nothing was written; take another --format"
            )
        return
    real = [check for check in checks if check.is_real]
    pixels = sum(_pixels(check) for check in real)
    agreement = sum(check.equal * _pixels(check) for check in real) / pixels
    if not agreement >= least_agreement:
        raise InputError(
            f"in int8 the file gives the label of the run at {100 * agreement:.2f} % of the pixels,"
            f" asked for is {100 * least_agreement:g} %: nothing was written; give images like "
            "those of the run by --images, lower --least-agreement, or export in float32"
        )


def _random_sizes(module: ExportModule) -> Iterator[tuple[int, int, int, int]]:
    for images, rows, columns, least in _RANDOM:
        height, width = max(rows * module.step, least) + 5, max(columns * module.step, least) - 1
        if module.most is not None:
            height, width = min(height, module.most), min(width, module.most - images)
        yield images, module.channels, max(height, 1), max(width, 1)


def _compared(
    answer: Answer, expected: Reference, name: str, pixels: NDArray[np.float32], *, is_real: bool
) -> ExportCheck:
    turns = _TURNS if is_real else 1
    (labels, found), milliseconds = _timed(lambda: answer(pixels)[:2], turns)
    truth, torch_milliseconds = _timed(lambda: expected(pixels), turns)
    images, _, height, width = pixels.shape
    if labels.shape != (images, height, width) or found.shape != truth.shape:
        raise InputError(
            f"the exported file answers {labels.shape} labels and {found.shape} probabilities to "
            f"images of shape {pixels.shape}: nothing was written; take another --format"
        )
    difference = float(np.abs(found - truth).max())
    best = truth.argmax(axis=1)
    other = labels != best
    chosen = np.take_along_axis(truth, np.clip(labels, 0, truth.shape[1] - 1)[:, np.newaxis], 1)
    gap = truth.max(axis=1) - chosen[:, 0]
    is_label = (labels >= 0) & (labels < truth.shape[1])
    return ExportCheck(
        name=name,
        is_real=is_real,
        images=images,
        height=height,
        width=width,
        difference=difference,
        equal=float(1 - other.mean()),
        unexplained=int((other & ~(is_label & (gap <= 2 * difference))).sum()),
        milliseconds=milliseconds / images,
        torch_milliseconds=torch_milliseconds / images,
    )


def _timed(work: Callable[[], Any], turns: int) -> tuple[Any, float]:
    """What a work returns, and the median of its milliseconds after a warm-up."""
    found = work()
    taken = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return found, statistics.median(taken)


def _severity(difference: float) -> float:
    return float("inf") if np.isnan(difference) else difference


def _told(check: ExportCheck) -> str:
    return f"{check.name}, {check.images} x {check.height}x{check.width} pixels"


def _pixels(check: ExportCheck) -> int:
    return check.images * check.height * check.width
