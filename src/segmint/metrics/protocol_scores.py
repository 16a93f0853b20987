"""The scores of a set of images by several protocols, image after image."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.protocol import Case, Evidence, LooksAt, Protocol
from segmint.metrics.protocols import protocols

_MOST_NAMES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class ProtocolScores:
    """What one protocol says of a set of images."""

    name: str
    """Of the protocol, ``surfaces``."""
    protocol: Protocol
    evidence: Mapping[str, Evidence]
    """Of each image that was scored, by its name."""
    left_out: Mapping[str, str]
    """Why the others were not, one sentence each, by their name."""

    def rows(self) -> list[ScoreRow]:
        """The scores of the whole set; none where no image was scored."""
        return self.protocol.rows(list(self.evidence.values())) if self.evidence else []

    def image_values(self) -> dict[str, dict[str, float | None]]:
        """The scores of each image alone by their names, those of :meth:`rows`, NaN as None."""
        names = [row.name for row in self.rows()]
        return {
            image: _in_order(names, self.protocol.rows([evidence]))
            for image, evidence in self.evidence.items()
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Which images are not in the scores and why, one sentence for each reason."""
        reasons: dict[str, list[str]] = {}
        for image, reason in self.left_out.items():
            reasons.setdefault(reason, []).append(image)
        count = len(self.evidence) + len(self.left_out)
        return tuple(
            f"{self.name}: {len(images)} of {count} images not scored ({_some(images)}): {reason}"
            for reason, images in reasons.items()
        )


class ProtocolScorer:
    """Takes images one by one and keeps what they contribute.

    Args:
        names: of the protocols, each once.
        changed: protocols that differ from the registered ones, by name.

    Raises:
        UsageError: for an unknown protocol, with the nearest known one.

    Example:
        >>> scorer = ProtocolScorer(["instances"])
        >>> nuclei = np.array([[0, 1, 1, 0, 2]])
        >>> case = Case(name="cells", labels=nuclei, masks=(nuclei,), ignore_index=None)
        >>> scorer.add("cells", lambda looks_at: case)
        >>> [row.value for row in scorer.scores()[0].rows()][0]
        1.0
    """

    def __init__(
        self, names: Sequence[str], *, changed: Mapping[str, Protocol] | None = None
    ) -> None:
        known = {name: protocols.load(name) for name in dict.fromkeys(names)}
        self._protocols: dict[str, Protocol] = {
            name: (changed or {}).get(name, found) for name, found in known.items()
        }
        self._evidence: dict[str, dict[str, Evidence]] = {name: {} for name in known}
        self._left_out: dict[str, dict[str, str]] = {name: {} for name in known}

    def add(self, image: str, case_of: Callable[[LooksAt], Case]) -> None:
        """Score one image by every protocol that it fits.

        Args:
            image: its name, unique in the set.
            case_of: what is to be scored, in the numbers that a protocol looks at; called once for
                each kind of numbers.

        Raises:
            InputError: for arrays that cannot be scored.
        """
        cases: dict[LooksAt, Case] = {}
        for name, protocol in self._protocols.items():
            if protocol.looks_at not in cases:
                cases[protocol.looks_at] = case_of(protocol.looks_at)
            case = cases[protocol.looks_at]
            why = _without_truth(case) or protocol.unfit(case)
            if why:
                self._left_out[name][image] = why
            else:
                self._evidence[name][image] = protocol.measure(case)

    def scores(self) -> tuple[ProtocolScores, ...]:
        """What was found so far, in the order of the protocols."""
        return tuple(
            ProtocolScores(
                name=name,
                protocol=protocol,
                evidence=self._evidence[name],
                left_out=self._left_out[name],
            )
            for name, protocol in self._protocols.items()
        )


def unscored(scores: Sequence[ProtocolScores], asked: Sequence[str]) -> list[str]:
    """A sentence for each protocol that was asked for and fits no image: why not the first one."""
    return [
        misfit(each.name, *next(iter(each.left_out.items())))
        for each in scores
        if each.name in asked and not each.evidence and each.left_out
    ]


def misfit(protocol: str, image: str, why: str) -> str:
    """That a protocol which was asked for does not fit an image."""
    return f"--protocol {protocol} cannot score {image}: {why}"


def plain_rows(scores: Sequence[ProtocolScores]) -> list[dict[str, Any]]:
    """All rows as plain JSON data, NaN as None."""
    return [{"family": each.name, **row.as_dict()} for each in scores for row in each.rows()]


def _without_truth(case: Case) -> str:
    ignored = -1 if case.ignore_index is None else case.ignore_index
    if any(np.any((mask >= 0) & (mask != ignored)) for mask in case.masks):
        return ""
    return "it has no truth, or none that counts"


def _in_order(names: Sequence[str], rows: Sequence[ScoreRow]) -> dict[str, float | None]:
    found = {row.name: None if math.isnan(row.value) else float(row.value) for row in rows}
    return {name: found.get(name) for name in names}


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"
