"""Recipe ``isbi-unet``: membranes of the ISBI 2012 challenge (Ronneberger et al. 2015)."""

from __future__ import annotations

from segmint.datasets.transform_options import ISBI
from segmint.recipes.supervised import supervised

NOTE = (
    "As published: the original U-Net with 64 first features, binary cross-entropy, Adam with "
    "1e-4, 5 epochs of 300 steps, image and mask moved a little. More fairly than published: crops "
    "of 256 at full resolution, where slices were halved, input normalization, and a score on the "
    "last slices, which it does not learn from, where accuracy was told of augmented training "
    "images; --preset study restores the halved slices without normalization. --preset small is a "
    "U-Net with 16 first features for a quick result."
)

RECIPE = supervised(
    defaults={
        "data": {"dataset": "isbi2012"},
        "transform": {
            "resize": 0,
            "crop": 256,
            "augmentation": "isbi",
            "normalization": "dataset",
        },
        "network": {"network": "unet-original"},
        "loss": {"objective": "bce"},
        "optimizer": {"optimizer": "adam", "learning_rate": 1e-4, "schedule": "constant"},
        "training": {"epochs": 5, "batch_size": 2, "steps_per_epoch": 300},
    },
    presets={
        "study": {"transform": ISBI},
        "small": {
            "network": {"network": "unet", "features": 16},
            "optimizer": {"learning_rate": 2e-3, "schedule": "poly"},
            "training": {"epochs": 10, "steps_per_epoch": 40, "batch_size": 4},
        },
    },
    note=NOTE,
)
