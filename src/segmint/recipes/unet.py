"""Recipe ``unet``: the baseline of the mutual information study (its Model 1)."""

from __future__ import annotations

from segmint.datasets.transform_options import STUDY
from segmint.recipes.supervised import supervised

TRANSFORM = {"resize": 234, "crop": 224, "augmentation": "strong", "normalization": "dataset"}
OPTIMIZER = {"optimizer": "adam", "learning_rate": 1e-3, "schedule": "poly"}
STUDY_OPTIMIZER = {"schedule": "constant"}

NOTE = (
    "As published: U-Net with 32 first features, shorter side 234, crops of 224, Adam, 200 epochs. "
    "More fairly than published: the same learning rate, batch size and decay for every objective, "
    "augmentation, input normalization, and the network with the best mean IoU on validation "
    "images at their own size, where the study kept the one of lowest training loss and "
    "tested it on random crops; --preset study restores the learning rate, batch and crops."
)

RECIPE = supervised(
    defaults={
        "transform": TRANSFORM,
        "network": {"network": "unet"},
        "loss": {"objective": "cross_entropy"},
        "optimizer": OPTIMIZER,
        "training": {"epochs": 200, "batch_size": 8},
    },
    presets={"study": {"transform": STUDY, "optimizer": STUDY_OPTIMIZER}},
    note=NOTE,
)
