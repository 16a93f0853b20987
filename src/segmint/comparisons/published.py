"""Published figures, to stand beside our own where the data are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from segmint.comparisons.arm import BLANK, Arm
from segmint.comparisons.cell import WHOLE

FULL_SPLITS = {
    ("voc2012", "val"): 1449,
    ("cityscapes", "val"): 500,
    ("ade20k", "val"): 2000,
    ("bsds500", "test"): 200,
    ("isbi2012", "test"): 30,
}
"""Images of the official splits that figures are published for, by layout and split."""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Where figures are from, and how they were come by."""

    source: str
    protocol: str
    """What a reader who compares with them should know."""


@dataclass(frozen=True, kw_only=True)
class PublishedFigures:
    """What was published for one system on one split."""

    dataset: str
    split: str
    system: str
    """Name of the recipe or method, or ``blank``."""
    answer: str = WHOLE
    """Which of its networks."""
    needs: Mapping[str, Any] = field(default_factory=dict)
    """Options without which it is another system, by ``name`` or ``section.name``."""
    scores: Mapping[str, float]
    """By the key of the score."""
    publication: Publication


STUDY = Publication(
    source=(
        'Goncalves, Capozzi, Rebelo and Cardoso, "Deep image segmentation based on mutual '
        'information", Table 1'
    ),
    protocol=(
        "the study tested on random crops of 224 x 224, trained its three systems with different "
        "learning rates and batch sizes, and kept the weights of the lowest training loss"
    ),
)

KIM = Publication(
    source=(
        'Kim, Kanezaki and Tanaka, "Unsupervised learning of image segmentation based on '
        'differentiable feature clustering", IEEE Transactions on Image Processing 29 (2020)'
    ),
    protocol="best overlap after connected components got labels of their own",
)

RONNEBERGER = Publication(
    source='Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015',
    protocol="measured by the challenge, whose truth was not published",
)

ZHAO_NOTE = (
    "With another network the authors of region mutual information (Zhao et al. 2019) publish a "
    "gain on VOC 2012 val: DeepLabV3 mean IoU .7714 with cross-entropy, .7871 with it; DeepLabV3+ "
    ".7817 and .7966."
)

_UNET = {"network.network": "unet"}
_KIM_CLUSTERING = {
    "continuity_weight": 5.0,
    "similarity_weight": 1.0,
    "working_pixels": 0,
    "superpixel_scale": 0.0,
    "components": None,
}


def _study(
    dataset: str, system: str, mean_iou: float, accuracy: float, **others: Any
) -> PublishedFigures:
    return PublishedFigures(
        dataset=dataset,
        split="val",
        system=system,
        scores={"mean_iou": mean_iou, "accuracy": accuracy},
        publication=STUDY,
        **others,
    )


def _kim(system: str, scores: tuple[float, float, float], **needs: Any) -> PublishedFigures:
    names = ("best_overlap_all", "best_overlap_fine", "best_overlap_coarse")
    return PublishedFigures(
        dataset="bsds500",
        split="test",
        system=system,
        needs=needs,
        scores=dict(zip(names, scores, strict=True)),
        publication=KIM,
    )


FIGURES = (
    _study("cityscapes", "unet", 0.5931, 0.9388, needs=_UNET),
    _study("cityscapes", "unet-rmi", 0.5244, 0.9345, needs=_UNET),
    _study("cityscapes", "mutual", 0.5619, 0.9342, answer="unet"),
    _study("voc2012", "unet", 0.1965, 0.7367, needs=_UNET),
    _study("voc2012", "unet-rmi", 0.0607, 0.6893, needs=_UNET),
    _study("voc2012", "mutual", 0.2203, 0.7539, answer="unet"),
    _kim(BLANK, (0.0458, 0.0249, 0.1001)),
    _kim("felzenszwalb", (0.3135, 0.2951, 0.3255), scale=100.0),
    _kim("felzenszwalb", (0.2768, 0.2238, 0.3659), scale=500.0),
    _kim("clustering", (0.3050, 0.2592, 0.3739), **_KIM_CLUSTERING),
    PublishedFigures(
        dataset="isbi2012",
        split="test",
        system="isbi-unet",
        scores={"warping_error": 0.000353, "rand_error": 0.0382, "pixel_error": 0.0611},
        publication=RONNEBERGER,
    ),
)
"""The study's mutual learning is told by its student, a U-Net."""


def is_full(dataset: str, split: str, n_images: int) -> bool:
    """Whether a split is the official one with all its images.

    Args:
        dataset: name of the layout.
        split: of it.
        n_images: that are scored.

    Example:
        >>> is_full("voc2012", "val", 1449), is_full("voc2012", "val", 2)
        (True, False)
    """
    return FULL_SPLITS.get((dataset, split)) == n_images


def published_for(
    arm: Arm, settings: Mapping[str, Any], *, dataset: str, split: str
) -> dict[str, PublishedFigures]:
    """What was published for an arm on the full split, by the name of the answer it is of.

    Args:
        arm: a recipe, a method or ``blank``.
        settings: all its options, those of a recipe by section and name.
        dataset: name of the layout.
        split: of it.
    """
    return {
        figures.answer: figures
        for figures in FIGURES
        if (figures.dataset, figures.split, figures.system) == (dataset, split, arm.name)
        and all(_option(settings, name) == value for name, value in figures.needs.items())
    }


def sources_of(figures: Iterable[PublishedFigures]) -> str:
    """Where figures are from and how they were come by, in one line; empty where there are none."""
    publications = dict.fromkeys(each.publication for each in figures)
    return "; ".join(f"{each.source} ({each.protocol})" for each in publications)


def _option(settings: Mapping[str, Any], name: str) -> Any:
    """Value of an option by ``name`` or ``section.name``; None where there is none."""
    found: Any = settings
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
