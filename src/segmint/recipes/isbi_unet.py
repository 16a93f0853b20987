"""Recipe ``isbi-unet``: membranes of the ISBI 2012 challenge (Ronneberger et al. 2015)."""

from __future__ import annotations

from segmint.recipes.supervised import supervised

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
        "small": {
            "network": {"network": "unet", "features": 16},
            "optimizer": {"learning_rate": 2e-3, "schedule": "poly"},
            "training": {"epochs": 10, "steps_per_epoch": 40, "batch_size": 4},
        }
    },
    note="",
)
