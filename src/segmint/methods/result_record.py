"""What ``result.json`` says of a result, however large its image was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segmint.methods.mixture_table import MixtureTable
from segmint.runs import versions


def result_record(
    *,
    image: str | None,
    labels: str,
    shape: Sequence[int],
    spacing: Sequence[float] | None,
    method: str,
    options: Mapping[str, Any],
    seed: int,
    components: int,
    order: str,
    names: Mapping[int, str],
    mixture: MixtureTable | None,
    seconds: float,
    notes: Sequence[str],
    history: Sequence[Mapping[str, float]],
) -> dict[str, Any]:
    """The record, as plain data.

    Args:
        image: the file that was segmented.
        labels: name of the label file.
        shape: of the labels, (H, W) or (D, H, W).
        spacing: millimeters between pixels, as many as axes.
        method: that made them.
        options: all of its options with their values.
        seed: of everything random.
        components: how many ids occur.
        order: what ids are ordered by.
        names: of ids.
        mixture: weights, means and variances of a mixture.
        seconds: that it took.
        notes: what was decided, one sentence each.
        history: a row an iteration.
    """
    return {
        "image": image,
        "labels": labels,
        "shape": list(shape),
        "spacing": spacing,
        "method": method,
        "options": dict(options),
        "seed": seed,
        "components": components,
        "order": order,
        "names": {str(index): name for index, name in names.items()},
        "mixture": None if mixture is None else mixture.rows(),
        "seconds": round(seconds, 4),
        "notes": list(notes),
        "versions": versions(),
        "history": list(history),
    }
