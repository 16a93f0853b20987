"""What a user names to answer: a run, an exported file, or several of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segmint.inference.tiling import Tiling
from segmint.recipes.answering import Answering
from segmint.recipes.ensemble import Ensemble
from segmint.recipes.exported_model import ExportedModel
from segmint.recipes.run import Run


def open_answering(
    places: Sequence[str | Path],
    *,
    device: str = "auto",
    precision: str = "auto",
    peer: str | None = None,
    tiling: Tiling | None = None,
) -> Answering:
    """Open a run or an exported file; several become an ensemble.

    Args:
        places: folders that ``segmint train`` wrote, files that ``segmint export`` wrote.
        device: where networks compute; exported files take the CPU.
        precision: of their arithmetic; exported files have their own.
        peer: of the first, where it has several networks.
        tiling: how large images are cut, and test-time augmentation.

    Raises:
        InputError: for what is neither, or those that do not go together.
        UsageError: for an option that one of them does not take.
    """
    opened: list[Answering] = []
    for index, place in enumerate(map(Path, places)):
        first_peer = peer if index == 0 else None
        if place.suffix == ".onnx":
            opened.append(
                ExportedModel(
                    place,
                    device=device,
                    precision=precision if len(places) == 1 else "auto",
                    peer=first_peer,
                    tiling=tiling,
                )
            )
        else:
            opened.append(
                Run(
                    place,
                    device=device,
                    precision=precision,
                    peer=first_peer,
                    tiling=tiling,
                )
            )
    return opened[0] if len(opened) == 1 else Ensemble(opened)
