"""The table of the components of a scene, from what was counted block by block."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from segmint.images.components import Component
from segmint.images.palettes import colors_of, to_hex
from segmint.inference.label_statistics import LabelStatistics
from segmint.inference.numbering import Numbering


def scene_components(
    statistics: LabelStatistics,
    numbering: Numbering,
    *,
    names: Mapping[int, str],
    colors: NDArray[np.uint8] | None,
) -> list[Component]:
    """What :func:`segmint.images.component_table` tells of labels and pixels in memory.

    Args:
        statistics: of the labels.
        numbering: from labels to ids.
        names: of ids.
        colors: uint8 (K, 3) of the ids; the fixed palette when not given.
    """
    total = int(statistics.counts.sum())
    components = []
    for index in numbering.ids:
        label = numbering.former[index]
        pixels = int(statistics.counts[label])
        red, green, blue = (colors_of(index) if colors is None else colors[index]).tolist()
        components.append(
            Component(
                id=index,
                name=names.get(index),
                pixels=pixels,
                fraction=pixels / total,
                mean=tuple((statistics.sums[label] / pixels).tolist()),
                color=to_hex((red, green, blue)),
            )
        )
    return components
