"""What a result folder holds of a mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from segmint.methods.mixture_table import MixtureTable
from segmint.runs import atomic_path, write_text


def write_mixture(
    folder: Path, mixture: MixtureTable, history: Sequence[Mapping[str, float]]
) -> None:
    """Write ``mixture.csv``, and ``history.png`` where the history tells a likelihood.

    Raises:
        OutputError: when a file cannot be written.
    """
    from segmint.images.curves import draw_curve

    write_text(folder / "mixture.csv", mixture.csv())
    rows = [row for row in history if "nll" in row]
    if rows:
        x = "slice" if "slice" in rows[0] else "iteration"
        label = "negative log-likelihood (nats per pixel)"
        curve = draw_curve(rows, x=x, series=["nll"], label=label)
        with atomic_path(folder / "history.png") as temporary:
            temporary.write_bytes(curve)
