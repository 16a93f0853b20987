"""Scores of segmentations: arrays in, numbers out.

``evaluate`` and ``evaluate_many`` give every score that fits; each score is also a function.
"""

from segmint.metrics.best_overlap import best_overlap
from segmint.metrics.components import relabel_components
from segmint.metrics.confusion import Confusion, confusion
from segmint.metrics.contingency import Contingency, contingency
from segmint.metrics.covering import covering
from segmint.metrics.disagreement import disagreement
from segmint.metrics.evaluation import (
    RegionScores,
    ScoreRow,
    Scores,
    ScoreTable,
    aggregate,
    evaluate,
    evaluate_many,
)
from segmint.metrics.foreground_rand import foreground_rand
from segmint.metrics.information import normalized_mutual_information, variation_of_information
from segmint.metrics.matching import MATCHINGS, Matching, match
from segmint.metrics.rand import adjusted_rand_index, rand_index

__all__ = [
    "MATCHINGS",
    "Confusion",
    "Contingency",
    "Matching",
    "RegionScores",
    "ScoreRow",
    "ScoreTable",
    "Scores",
    "adjusted_rand_index",
    "aggregate",
    "best_overlap",
    "confusion",
    "contingency",
    "covering",
    "disagreement",
    "evaluate",
    "evaluate_many",
    "foreground_rand",
    "match",
    "normalized_mutual_information",
    "rand_index",
    "relabel_components",
    "variation_of_information",
]
