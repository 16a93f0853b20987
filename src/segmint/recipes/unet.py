"""Recipe ``unet``: the baseline of the mutual information study (its Model 1)."""

from __future__ import annotations

from segmint.datasets.transform_options import STUDY
from segmint.recipes.study import FAIRNESS, OPTIMIZER, STUDY_OPTIMIZER, TRAINING, TRANSFORM
from segmint.recipes.supervised import supervised

NOTE = (
    "As published: U-Net with 32 first features, shorter side 234, crops of 224, Adam, 200 epochs. "
    + FAIRNESS
)

RECIPE = supervised(
    defaults={
        "transform": TRANSFORM,
        "network": {"network": "unet"},
        "loss": {"objective": "cross_entropy"},
        "optimizer": OPTIMIZER,
        "training": TRAINING,
    },
    presets={"study": {"transform": STUDY, "optimizer": STUDY_OPTIMIZER}},
    note=NOTE,
)
