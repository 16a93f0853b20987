"""Objectives: terms from information theory and their weighted sums.

Every term is called as ``term(logits, batch) -> scalar``. A new term is one file here and one
registration below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.lazy import lazy_names
from segmint.registry import Registry

if TYPE_CHECKING:
    from segmint.objectives.area import max_area_loss, min_area_loss, soft_areas
    from segmint.objectives.batch import Batch
    from segmint.objectives.bce import bce_loss
    from segmint.objectives.continuity import continuity_loss
    from segmint.objectives.cross_entropy import cross_entropy_loss
    from segmint.objectives.focal import focal_loss
    from segmint.objectives.lovasz import lovasz_loss
    from segmint.objectives.mixture import mixture_loss, varying_mixture_loss
    from segmint.objectives.mixture_steps import MixtureParameters, mixture_parameters
    from segmint.objectives.mutual import MutualLosses, mutual_losses
    from segmint.objectives.objective import Objective
    from segmint.objectives.overlap import SoftCounts, overlap_loss, soft_counts
    from segmint.objectives.prior_means import prior_means_loss
    from segmint.objectives.rmi import rmi_loss
    from segmint.objectives.scribble import scribble_loss
    from segmint.objectives.similarity import similarity_loss

__all__ = [
    "Batch",
    "MixtureParameters",
    "MutualLosses",
    "Objective",
    "SoftCounts",
    "bce_loss",
    "continuity_loss",
    "cross_entropy_loss",
    "focal_loss",
    "lovasz_loss",
    "max_area_loss",
    "min_area_loss",
    "mixture_loss",
    "mixture_parameters",
    "mutual_losses",
    "overlap_loss",
    "prior_means_loss",
    "rmi_loss",
    "scribble_loss",
    "similarity_loss",
    "soft_areas",
    "soft_counts",
    "terms",
    "varying_mixture_loss",
]

terms = Registry("term")
terms.register(
    "cross_entropy",
    "segmint.objectives.cross_entropy:CrossEntropy",
    "cross-entropy of the softmax (weights, label_smoothing)",
)
terms.register(
    "bce",
    "segmint.objectives.bce:BinaryCrossEntropy",
    "binary cross-entropy of one sigmoid a class",
)
terms.register(
    "rmi",
    "segmint.objectives.rmi:RegionMutualInformation",
    "mutual information of windows of mask and prediction (radius, pooling, pool_size)",
)
terms.register(
    "dice",
    "segmint.objectives.overlap:Dice",
    "one minus the Dice score of each class (smooth, log_loss)",
)
terms.register(
    "jaccard",
    "segmint.objectives.overlap:Jaccard",
    "one minus the Jaccard index of each class (smooth, log_loss)",
)
terms.register(
    "tversky",
    "segmint.objectives.overlap:Tversky",
    "overlap that weighs what is too much and what is missing (alpha, beta, gamma)",
)
terms.register(
    "focal",
    "segmint.objectives.focal:Focal",
    "binary cross-entropy in which pixels that are right count little (gamma, alpha)",
)
terms.register(
    "lovasz",
    "segmint.objectives.lovasz:Lovasz",
    "convex stand-in for the Jaccard index of each class (per_image)",
)
terms.register(
    "similarity",
    "segmint.objectives.similarity:Similarity",
    "cross-entropy of the response against its own argmax",
)
terms.register(
    "continuity",
    "segmint.objectives.continuity:Continuity",
    "absolute difference between neighboring responses (x, y, edge_sharpness, everywhere)",
)
terms.register(
    "scribble",
    "segmint.objectives.scribble:Scribble",
    "cross-entropy on scribbled pixels",
)
terms.register(
    "max_area",
    "segmint.objectives.area:MaxArea",
    "soft area of the largest component",
)
terms.register(
    "min_area",
    "segmint.objectives.area:MinArea",
    "one minus the soft area of the smallest component, in even shares",
)
terms.register(
    "mixture",
    "segmint.objectives.mixture:Mixture",
    "negative log-likelihood of a Gaussian mixture with the response's probabilities",
)
terms.register(
    "varying_mixture",
    "segmint.objectives.mixture:VaryingMixture",
    "the same with weights of the components that vary from pixel to pixel",
)
terms.register(
    "prior_means",
    "segmint.objectives.prior_means:PriorMeans",
    "squared distance of the components' means from known ones",
)

_PLACES = {
    "Batch": "segmint.objectives.batch",
    "SoftCounts": "segmint.objectives.overlap",
    "bce_loss": "segmint.objectives.bce",
    "cross_entropy_loss": "segmint.objectives.cross_entropy",
    "focal_loss": "segmint.objectives.focal",
    "lovasz_loss": "segmint.objectives.lovasz",
    "overlap_loss": "segmint.objectives.overlap",
    "rmi_loss": "segmint.objectives.rmi",
    "soft_counts": "segmint.objectives.overlap",
    "MixtureParameters": "segmint.objectives.mixture_steps",
    "MutualLosses": "segmint.objectives.mutual",
    "Objective": "segmint.objectives.objective",
    "continuity_loss": "segmint.objectives.continuity",
    "max_area_loss": "segmint.objectives.area",
    "min_area_loss": "segmint.objectives.area",
    "mixture_loss": "segmint.objectives.mixture",
    "mixture_parameters": "segmint.objectives.mixture_steps",
    "mutual_losses": "segmint.objectives.mutual",
    "prior_means_loss": "segmint.objectives.prior_means",
    "scribble_loss": "segmint.objectives.scribble",
    "similarity_loss": "segmint.objectives.similarity",
    "soft_areas": "segmint.objectives.area",
    "varying_mixture_loss": "segmint.objectives.mixture",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)
