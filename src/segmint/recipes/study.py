"""What the three systems of the mutual information study share.

Goncalves, Capozzi, Rebelo and Cardoso, "Deep image segmentation based on mutual information".
"""

from __future__ import annotations

TRANSFORM = {"resize": 234, "crop": 224, "augmentation": "strong", "normalization": "dataset"}
OPTIMIZER = {"optimizer": "adam", "learning_rate": 1e-3, "schedule": "poly"}
TRAINING = {"epochs": 200, "batch_size": 8}
STUDY_OPTIMIZER = {"schedule": "constant"}
"""Of the preset ``study``, which restores what was published."""

FAIRNESS = (
    "More fairly than published: the same learning rate, batch size and decay for every objective, "
    "augmentation, input normalization, and the network with the best mean IoU on validation "
    "images at their own size, where the study kept the one of lowest training loss and "
    "tested it on random crops; --preset study restores the learning rate, batch and crops."
)
"""Where the recipes differ from the study."""
