"""A row of a table with the scores of single images, which the table leaves out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segmint.comparisons.cell import Answer
from segmint.comparisons.table import TableRow


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredRow:
    """A row of a table, and what it was made of."""

    row: TableRow
    answers: Mapping[int, Answer]
    """By seed."""

    def over_seeds(self, score: str) -> dict[int, float]:
        """The score over the whole split for each seed that has one."""
        values = {seed: answer.scores.get(score) for seed, answer in self.answers.items()}
        return {seed: value for seed, value in values.items() if value is not None}

    def over_images(self, score: str, seeds: Sequence[int]) -> dict[str, float]:
        """The mean over seeds for each image that has the score with all of them."""
        answers = [self.answers[seed] for seed in seeds]
        if not answers:
            return {}
        found = {
            name: [answer.images.get(name, {}).get(score) for answer in answers]
            for name in answers[0].images
        }
        return {
            name: statistics.fmean(value for value in values if value is not None)
            for name, values in found.items()
            if None not in values
        }
