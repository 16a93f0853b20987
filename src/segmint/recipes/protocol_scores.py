"""What a run says of a sample, as protocols score it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segmint.images.spacing import read_spacing
from segmint.metrics.protocol import Case, LooksAt, Protocol
from segmint.metrics.protocol_scores import ProtocolScorer

if TYPE_CHECKING:
    from segmint.datasets.dataset import Dataset, Pair
    from segmint.datasets.sample import Sample

_BOUNDARY = "boundary"


@dataclass(frozen=True, kw_only=True, eq=False)
class ProtocolChoice:
    """By which protocols a run is scored besides IoU, and how."""

    names: tuple[str, ...] = ()
    """Of the protocols."""
    spacing: tuple[float, ...] | None = None
    """Of the pixels of every image, in place of what its file tells."""
    changed: Mapping[str, Protocol] = field(default_factory=dict)
    """Protocols that differ from the registered ones, by name."""
    strengths: bool = False
    """Score boundaries at every threshold of their probability, too (ODS, OIS), which takes seconds
    an image."""

    @classmethod
    def of(cls, protocols: Sequence[str] | ProtocolChoice) -> ProtocolChoice:
        """A choice, or names alone."""
        if isinstance(protocols, ProtocolChoice):
            return protocols
        return cls(names=tuple(protocols))

    def scorer(self) -> ProtocolScorer:
        """What takes the images.

        Raises:
            UsageError: for an unknown protocol.
        """
        return ProtocolScorer(self.names, changed=self.changed)


def case_of(
    dataset: Dataset,
    pair: Pair,
    sample: Sample,
    labels: NDArray[np.int32],
    looks_at: LooksAt,
    *,
    probabilities: NDArray[np.float32] | None = None,
    spacing: tuple[float, ...] | None = None,
    strengths: bool = False,
) -> Case:
    """What is to be scored of one image of a data set.

    Args:
        dataset: that the sample is from.
        pair: its files.
        sample: what they hold.
        labels: (H, W) classes that were found, -1 outside the region.
        looks_at: which numbers are scored: ``objects`` are those that the data set makes of the
            classes, against the truth as it was drawn.
        probabilities: (K, H, W) of the classes.
        spacing: of the pixels; None is what the file of the image tells.
        strengths: the probability of the class ``boundary``, if there is one, is the strength of
            boundaries.

    Raises:
        InputError: when the truth cannot be read once more.
    """
    case = Case(
        name=sample.name,
        labels=labels,
        masks=(sample.mask,),
        ignore_index=dataset.ignore_index,
        spacing=spacing or read_spacing(pair.image),
        probabilities=probabilities,
        class_names=dataset.classes,
    )
    if looks_at != "objects":
        return case
    return _with_objects(_with_strengths(case) if strengths else case, dataset, pair)


def _with_objects(case: Case, dataset: Dataset, pair: Pair) -> Case:
    """Numbers in place of classes, where the data set knows of any."""
    if dataset.objects is None or dataset.truths is None or pair.mask is None:
        return case
    return replace(
        case,
        labels=dataset.objects(case.labels),
        masks=dataset.truths(pair),
        ignore_index=None,
        class_names=(),
    )


def _with_strengths(case: Case) -> Case:
    if case.probabilities is None or _BOUNDARY not in case.class_names:
        return case
    return replace(case, strengths=case.probabilities[case.class_names.index(_BOUNDARY)])
