"""What ``segmint segment`` can be asked beside the options of a method."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.cli.inputs import PlaceOptions
from segmint.methods import DEFAULT_METHOD, methods
from segmint.options import option


@dataclass(frozen=True, kw_only=True)
class SegmentOptions(PlaceOptions):
    """What to segment by."""

    method: str = option(DEFAULT_METHOD, choices=tuple(methods))
    """How to segment; 'segmint segment --method NAME --help' shows the options of each."""
    preset: str | None = option(None)
    """Published defaults of the method: kim2020, seed004 (clustering), schwab2024 (mixtures)."""
    scribbles: str | None = option(None)
    """PNG of ids where something is known, or a folder of such files named like the images."""
    unlabelled: int = option(255)
    """Value of scribble pixels where nothing is known."""
    show: bool = option(False)
    """Show the segmentation as it evolves, in a window where there is a display."""
    frames: bool = option(False)
    """Write the segmentation as it evolves to progress.gif."""
    save_model: str | None = option(None, aliases=("model_path",))
    """File for the learned network (clustering, deepg, deepsvg; one image)."""
    skip_report: bool = option(False)
    """Leave out the report.html of several images."""
    batch_size: int | None = option(None, low=1)
    """Accepted for old scripts; one image is one batch. See 'segmint train clustering'."""
