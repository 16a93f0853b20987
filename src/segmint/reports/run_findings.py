"""What a report knows of a run, before any of it is laid out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from segmint.datasets import Dataset
from segmint.recipes.run import Run
from segmint.recipes.scoring import RunScores
from segmint.reports.class_picture import is_dim
from segmint.reports.data_survey import Survey
from segmint.reports.page import Section
from segmint.reports.peer_scores import PeerScore, peer_scores
from segmint.reports.peer_section import owner
from segmint.reports.run_examples import Example
from segmint.reports.run_facts import parameters_by_network
from segmint.reports.run_standing import FINISHED, Standing
from segmint.reports.unfinished_run import UnfinishedRun


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """What is known of a run and of the split that its report shows."""

    run: Run
    dataset: Dataset | None = None
    scores: RunScores | None = None
    """Of all images of the split; None where only a few were predicted."""
    peers: Mapping[str, RunScores] | None = None
    """The same of every peer and ensemble, for a run that has them."""
    examples: tuple[Example, ...] = ()
    note: str = ""
    """Why there is no data set, where there is none."""
    survey: Survey | None = None
    """Of what the run learned from."""
    data: Section | None = None
    """The chapter on that, where it was made before."""
    standing: Standing = FINISHED

    @property
    def has_scores(self) -> bool:
        """Whether some pixel had a truth to be compared with."""
        return self.scores is not None and not math.isnan(self.scores.confusion.mean_iou)

    @property
    def owner(self) -> str:
        """Whose predictions are shown, of a run with several networks."""
        return "" if self.run.peer is None else owner(self.run.peer)

    @cached_property
    def each_peer(self) -> dict[str, PeerScore]:
        """Scores of every peer and ensemble, for a run that has them."""
        return peer_scores(self.run.record, self.peers) if self.run.peers else {}

    @cached_property
    def parameters(self) -> dict[str, int]:
        """How many numbers each network has learned."""
        return parameters_by_network(self.run)

    @property
    def title(self) -> str:
        """Recipe, data and score, for the picture."""
        recipe = self.run.record["recipe"]
        if self.dataset is None:
            return str(recipe)
        place = f"{recipe} on {self.dataset.name} {self.dataset.split}"
        if self.scores is not None and self.has_scores:
            return f"{place}: {told_mean_iou(self.scores)}"
        best = self._validation_score
        if self.scores is not None or best is None:
            return place
        return f"{place}: mean IoU {best:.3f}"

    @property
    def _validation_score(self) -> float | None:
        """Of what answers, at its best epoch."""
        if self.run.peer is not None:
            return self.each_peer[self.run.peer].mean_iou
        score: float | None = self.run.record.get("best", {}).get("score")
        return score

    @property
    def choice(self) -> str:
        """How the examples were chosen."""
        if self.dataset is None:
            return ""
        shown, there = len(self.examples), len(self.dataset)
        count = f"{shown} of {there:,} image{'' if there == 1 else 's'}"
        if shown == there:
            count = f"All {there:,} images" if there > 1 else "The one image"
        ranked = all(example.mean_iou is not None for example in self.examples)
        order = ", from the best to the worst by their own mean IoU" if ranked else ""
        spaced = "" if shown == there else f", at equal steps {'of rank' if ranked else 'in it'}"
        dim = any(is_dim(example.image) for example in self.examples)
        brighter = "; dim images are shown brighter" if dim else ""
        return f"{count} of {self.dataset.split}{order}{spaced}{brighter}."

    @property
    def whose(self) -> str:
        """Who predicted them, of several."""
        if isinstance(self.run, UnfinishedRun):
            return "Predicted by the best network so far."
        return f"Predicted by {self.owner}." if self.owner else ""


def told_mean_iou(scores: RunScores) -> str:
    """The mean IoU, and over how many classes it is.

    A class that does not occur has none.
    """
    counted, known = scores.confusion.classes_counted, len(scores.classes)
    of = f"{known}" if counted == known else f"{counted} of {known}"
    return f"mean IoU {scores.confusion.mean_iou:.3f} over {of} classes"
