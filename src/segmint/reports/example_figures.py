"""Examples as figures of a page: a row of pictures for each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmint.reports.class_picture import UNCOUNTED, Size, is_dim, shown_size
from segmint.reports.example_panels import ExamplePanel, example_panels
from segmint.reports.page import Figure, Panel, Scale, Slider, pictures_length
from segmint.reports.pictures import embed_drawn, fitted_into
from segmint.reports.run_examples import Bits, Example
from segmint.reports.uncertainty_picture import scale_top, uncertainty_picture, uncertainty_scale

LONGEST_SIDE = 480
"""Pixels of a picture of the page, where there is room for all."""

MOST_LENGTH = 3_600_000
"""Letters of the page that the pictures of all examples may take."""

_ENTROPY, _DISAGREEMENT = "entropy", "disagreement"
_MEANINGS = {
    _ENTROPY: "Entropy, how undecided the prediction is",
    _DISAGREEMENT: "Disagreement, how far the networks are apart",
}


def example_figures(
    examples: Sequence[Example], palette: npt.NDArray[np.uint8], *, sliders: bool = True
) -> tuple[Figure, ...]:
    """Image, truth against prediction, mistakes and what is unsure, of each example in a row.

    Args:
        examples: in the order in which they are shown.
        palette: uint8 (K, 3), the colors of the classes.
        sliders: lay truth and prediction one over the other; False stands them side by side, for a
            page without script.
    """
    tops = _tops(examples, len(palette))
    return fitted_into(
        lambda side: tuple(
            _Row(example=example, palette=palette, tops=tops, side=side, slides=sliders).figure()
            for example in examples
        ),
        pictures_length,
        most=MOST_LENGTH,
        longest_side=LONGEST_SIDE,
    )


def example_scales(examples: Sequence[Example], classes: int) -> tuple[Scale, ...]:
    """What the colors of the maps in :func:`example_figures` mean.

    Args:
        examples: as there.
        classes: how many there are.
    """
    most = _most_bits(classes)
    return tuple(
        uncertainty_scale(_MEANINGS[title], top, more=top < most)
        for title, top in _tops(examples, classes).items()
    )


@dataclass(frozen=True, kw_only=True)
class _Row:
    """The pictures of one example."""

    example: Example
    palette: npt.NDArray[np.uint8]
    tops: dict[str, float]
    """Where the scale of each map ends, by its title."""
    side: int
    slides: bool

    def figure(self) -> Figure:
        return Figure(panels=tuple(self._panels()), caption=_caption(self.example))

    def _panels(self) -> Iterator[Panel | Slider]:
        drawn = example_panels(self.example, self.palette, mistakes=True)
        panels = {panel.title: self._panel(panel) for panel in drawn}
        if "truth" in panels and self.slides:
            truth, prediction = panels.pop("truth"), panels.pop("prediction")
            mistakes = panels.pop("mistakes")
            yield from panels.values()
            yield Slider(left=truth, right=prediction)
            yield mistakes
        else:
            yield from panels.values()
        for title, values in _maps(self.example).items():
            picture = uncertainty_picture(values, top=self.tops[title], size=self._size)
            yield self._embedded(picture, title)

    def _panel(self, panel: ExamplePanel) -> Panel:
        picture = panel.draw(self._size)
        return self._embedded(picture, panel.title, _label(panel, self.example))

    def _embedded(self, picture: npt.NDArray[np.uint8], title: str, label: str = "") -> Panel:
        return Panel(
            picture=embed_drawn(picture),
            alt=f"{title.capitalize()} of {self.example.name}.",
            label=label or title,
        )

    @property
    def _size(self) -> Size:
        return shown_size(self.example.labels.shape, self.side)


def _maps(example: Example) -> dict[str, Bits]:
    """Maps of an example by their titles."""
    maps = {_ENTROPY: example.entropy, _DISAGREEMENT: example.disagreement}
    return {title: values for title, values in maps.items() if values is not None}


def _tops(examples: Sequence[Example], classes: int) -> dict[str, float]:
    """Where the scale of each kind of map ends, the same for all examples."""
    found: dict[str, list[Bits]] = {}
    for example in examples:
        for title, values in _maps(example).items():
            found.setdefault(title, []).append(values)
    most = _most_bits(classes)
    return {title: min(scale_top(maps), most) for title, maps in found.items()}


def _most_bits(classes: int) -> float:
    """Of a pixel that is undecided among all classes alike."""
    return math.log2(max(classes, 2))


def _caption(example: Example) -> str:
    """Name, place among all and score."""
    parts = [example.name]
    if example.rank is not None:
        parts.append(_place(example.rank, example.ranked))
    if example.mean_iou is not None:
        parts.append(f"mean IoU {example.mean_iou:.3f}")
    dim = "; the image is shown brighter than it is" if is_dim(example.image) else ""
    return f"{', '.join(parts)}{dim}"


def _place(rank: int, ranked: int) -> str:
    """A rank in words, where it has some.

    Example:
        >>> [_place(rank, 5) for rank in (1, 2, 3, 5)]
        ['the best of 5', 'rank 2 of 5', 'the median of 5', 'the worst of 5']
    """
    if ranked > 1:
        named = {(ranked + 1) // 2: "the median", ranked: "the worst", 1: "the best"}
        if rank in named:
            return f"{named[rank]} of {ranked:,}"
    return f"rank {rank:,} of {ranked:,}"


def _label(panel: ExamplePanel, example: Example) -> str:
    if panel.title != "mistakes" or example.truth is None:
        return panel.title
    known = example.truth != UNCOUNTED
    share = (example.labels != example.truth)[known].mean()
    return f"mistakes: {100 * share:.1f} % of the pixels"
