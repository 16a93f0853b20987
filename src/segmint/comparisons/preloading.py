"""The modules that the cells of a comparison need, so that they are imported once for all."""

from __future__ import annotations

from collections.abc import Mapping

from segmint.comparisons.arms import is_label_free
from segmint.comparisons.plan import Comparison
from segmint.networks.zoo_names import PREFIX

_EVERY_CELL = ("segmint.comparisons.cell_work", "segmint.devices")
_RECIPES = (
    "segmint.comparisons.class_scores",
    "segmint.comparisons.recipe_cell",
    "segmint.recipes.class_prediction",
    "segmint.recipes.labelled_data",
    "segmint.recipes.supervised",
    "segmint.solvers.lightning_trainer",
    "segmint.solvers.mutual_task",
    "segmint.solvers.supervised_task",
    "segmint.solvers.training",
    "segmint.solvers.training_module",
)
_ZOO = ("segmint.networks.zoo", "segmentation_models_pytorch")
"""Where an arm has a network of that package, which takes seconds to import."""
_COMPONENTS = ("segmint.comparisons.mixture_scores", "segmint.comparisons.segment_scores")
METHOD_MODULES: Mapping[str, str] = {
    "clustering": "segmint.solvers.clustering",
    "deepg": "segmint.solvers.deep_mixture",
    "deepsvg": "segmint.solvers.deep_mixture",
    "em-gmm": "segmint.solvers.expectation_maximization",
    "em-svgmm": "segmint.solvers.expectation_maximization",
    "felzenszwalb": "skimage.segmentation._felzenszwalb",
    "hybrid": "segmint.regions.hybrid",
    "kmeans": "sklearn.cluster",
    "slic": "skimage.segmentation.slic_superpixels",
}
"""What each method imports when it runs."""


def modules_of(comparison: Comparison) -> list[str]:
    """Names of the modules, in the order of their import."""
    modules = [*_EVERY_CELL]
    if any(arm.way == "recipe" for arm in comparison.arms):
        modules += _RECIPES
    if PREFIX in str(comparison.settings):
        modules += _ZOO
    if any(map(is_label_free, comparison.arms)):
        modules += _COMPONENTS
    modules += [METHOD_MODULES[arm.name] for arm in comparison.arms if arm.name in METHOD_MODULES]
    return list(dict.fromkeys(modules))
