"""Recipe ``unet-rmi``: U-Net with region mutual information (Model 2 of the study).

The objective is that of Zhao et al., "Region mutual information loss for semantic segmentation"
(2019), eq. 15, with weight 0.5.
"""

from __future__ import annotations

from segmint.datasets.transform_options import STUDY
from segmint.recipes.study import OPTIMIZER, STUDY_OPTIMIZER, TRAINING, TRANSFORM
from segmint.recipes.supervised import supervised
from segmint.recipes.unet import NOTE

RECIPE = supervised(
    defaults={
        "transform": TRANSFORM,
        "network": {"network": "unet"},
        "loss": {"objective": "0.5*bce + 0.5*rmi"},
        "optimizer": OPTIMIZER,
        "training": TRAINING,
    },
    presets={
        "study": {
            "transform": STUDY,
            "optimizer": {**STUDY_OPTIMIZER, "learning_rate": 1e-4},
            "training": {"batch_size": 2},
        }
    },
    note=NOTE,
)
