"""Scores of segmentations: arrays in, numbers out.

``evaluate`` and ``evaluate_many`` give every score that fits; each score is also a function.
"""

from segmint.metrics.best_overlap import best_overlap
from segmint.metrics.boundaries import BoundaryCounts, boundary_counts, boundary_f
from segmint.metrics.calibration import Calibration, calibration
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
from segmint.metrics.foreground_information import (
    foreground_information,
    foreground_information_parts,
)
from segmint.metrics.foreground_rand import foreground_rand, foreground_rand_parts
from segmint.metrics.information import normalized_mutual_information, variation_of_information
from segmint.metrics.instance_matching import (
    PanopticQuality,
    aggregated_jaccard_index,
    average_precision,
    panoptic_quality,
)
from segmint.metrics.matching import MATCHINGS, Matching, match
from segmint.metrics.pixel_error import pixel_error
from segmint.metrics.protocol import Case, Protocol, ScoreKind
from segmint.metrics.protocol_scores import ProtocolScorer, ProtocolScores
from segmint.metrics.protocols import protocols
from segmint.metrics.rand import adjusted_rand_index, rand_index
from segmint.metrics.rand_error import rand_error
from segmint.metrics.split_merge import SplitMerge
from segmint.metrics.surface_distances import average_surface_distance, hd95, surface_dice
from segmint.metrics.warping_error import warping_error

__all__ = [
    "MATCHINGS",
    "BoundaryCounts",
    "Calibration",
    "Case",
    "Confusion",
    "Contingency",
    "Matching",
    "PanopticQuality",
    "Protocol",
    "ProtocolScorer",
    "ProtocolScores",
    "RegionScores",
    "ScoreKind",
    "ScoreRow",
    "ScoreTable",
    "Scores",
    "SplitMerge",
    "adjusted_rand_index",
    "aggregate",
    "aggregated_jaccard_index",
    "average_precision",
    "average_surface_distance",
    "best_overlap",
    "boundary_counts",
    "boundary_f",
    "calibration",
    "confusion",
    "contingency",
    "covering",
    "disagreement",
    "evaluate",
    "evaluate_many",
    "foreground_information",
    "foreground_information_parts",
    "foreground_rand",
    "foreground_rand_parts",
    "hd95",
    "match",
    "normalized_mutual_information",
    "panoptic_quality",
    "pixel_error",
    "protocols",
    "rand_error",
    "rand_index",
    "relabel_components",
    "surface_dice",
    "variation_of_information",
    "warping_error",
]
