"""The components of a mixture as a table: weight, and mean and variance of each channel."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class MixtureTable:
    """Weights, means and variances of K components of C channels.

    Raises:
        InputError: when the shapes or the channels' names do not fit together.

    Example:
        >>> table = MixtureTable(weights=np.ones(1), means=np.array([[2.0]]),
        ...     variances=np.array([[0.25]]), channels=("T2",), names={0: "scar"})
        >>> print(table.csv(), end="")
        id,name,weight,mean_T2,variance_T2
        0,scar,1,2,0.25
    """

    weights: npt.NDArray[np.floating[Any]]
    """(K,), share of the pixels of each component, 0 to 1."""

    means: npt.NDArray[np.floating[Any]]
    """(K, C), in ``units``."""

    variances: npt.NDArray[np.floating[Any]]
    """(K, C), in squared ``units``."""

    channels: tuple[str, ...] = ()
    """One a channel; 0, 1 and so on when empty."""

    names: Mapping[int, str] = field(default_factory=dict)
    """What some components are called, by id."""

    units: str = ""
    """What the means count, for example "z-scores inside the region"."""

    def __post_init__(self) -> None:
        count = len(self.weights) if self.weights.ndim == 1 else -1
        shapes = (self.weights.shape, self.means.shape, self.variances.shape)
        if count < 1 or self.means.ndim != 2 or self.means.shape != self.variances.shape:
            raise self._error(shapes)
        if len(self.means) != count or not self.means.shape[1]:
            raise self._error(shapes)
        given = len(set(self.channels))
        if self.channels and (given != len(self.channels) or given != self.means.shape[1]):
            raise InputError(
                f"channels are called {', '.join(self.channels)}, accepted are "
                f"{self.means.shape[1]} different names: name each channel once or none"
            )

    def csv(self) -> str:
        """The table as CSV, numbers with 6 significant digits.

        Columns: ``id``, ``name`` where any component has one, ``weight``, and of each channel
        ``mean_CHANNEL`` and ``variance_CHANNEL``, in the ``units`` that the last column names.
        """
        rows = self.rows()
        named = any(row["name"] for row in rows)
        columns = [column for column in self._columns() if named or column != "name"]
        columns += ["units"] if self.units else []
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _written(value) for key, value in row.items()})
        return text.getvalue()

    def rows(self) -> list[dict[str, Any]]:
        """A row a component in plain numbers, with the columns of the CSV and ``units``.

        A component without a name has None there; a name is one line.
        """
        return [
            {
                "id": index,
                "name": " ".join(self.names.get(index, "").split()) or None,
                "weight": float(weight),
                **dict(zip(self._columns()[3:], self._statistics(index), strict=True)),
                "units": self.units,
            }
            for index, weight in enumerate(self.weights)
        ]

    def _columns(self) -> list[str]:
        channels = self.channels or tuple(map(str, range(self.means.shape[1])))
        pairs = [f"{what}_{channel}" for channel in channels for what in ("mean", "variance")]
        return ["id", "name", "weight", *pairs]

    def _statistics(self, index: int) -> list[float]:
        """Mean and variance of each channel in turn."""
        pairs = np.stack([self.means[index], self.variances[index]], axis=-1)
        return [float(value) for value in pairs.ravel()]

    @staticmethod
    def _error(shapes: tuple[tuple[int, ...], ...]) -> InputError:
        weights, means, variances = shapes
        return InputError(
            f"weights have shape {weights}, means {means} and variances {variances}, accepted are "
            "(K,), (K, C) and (K, C): pass those of one mixture"
        )


def _written(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
