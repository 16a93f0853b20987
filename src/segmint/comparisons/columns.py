"""The scores of a comparison's table: what they are called, and whether more is better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from segmint.comparisons.table import Column
from segmint.metrics.protocol import Protocol
from segmint.metrics.protocols import protocols

CLASSES = (
    Column(name="mean_iou", title="mean IoU"),
    Column(name="mean_dice", title="mean Dice"),
    Column(name="accuracy", title="accuracy"),
)
"""Of recipes that learn classes."""

MATCHED = tuple(replace(column, title=f"{column.title} (matched)") for column in CLASSES)
"""The same of components that got their classes from the truth."""

MATCHED_NOTE = (
    "Of scores called matched, labels get their classes from the truth by Hungarian matching, "
    "image by image: not to be compared with networks that learned them."
)

_OVERLAP = Column(name="best_overlap_all", title="best overlap")
_COVERING = Column(name="covering", title="covering")

SEGMENTS = (_OVERLAP, _COVERING, *MATCHED)
"""Of components, where every image has one mask of classes."""

ANNOTATORS = (
    Column(name="best_overlap_all", title="best overlap (all)"),
    Column(name="best_overlap_fine", title="(fine)"),
    Column(name="best_overlap_coarse", title="(coarse)"),
    _COVERING,
    Column(name="rand_index", title="PRI"),
    Column(name="variation_of_information", title="VOI (bits)", better="lower"),
)
"""Of components, where several people drew segments without names."""

MIXTURES = (
    Column(name="mean_dice", title="mean Dice (Hungarian)"),
    Column(name="mean_dice_greedy", title="(greedy)"),
    Column(name="mean_dice_own", title="(own names)"),
    Column(name="nll", title="NLL (nats a pixel)", better="lower"),
)
"""Of mixtures: Dice by three ways to name the components, and likelihood."""


_LEFT_OUT = (
    *("boundary_precision", "boundary_recall"),
    *("boundary_ods", "boundary_ois", "boundary_ap"),
)


def protocol_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Of the families of scores that a field agreed on, by their names.

    Those apart that no cell has: precision and recall, beside which F would say nothing new, and
    the boundaries of hierarchies at every threshold, which take a minute an image.
    """
    found: list[Protocol] = [protocols.load(name) for name in names]
    return tuple(
        Column(name=kind.name, title=kind.title, better=kind.better)
        for protocol in found
        for kind in protocol.scores
        if kind.name not in _LEFT_OUT
    )
