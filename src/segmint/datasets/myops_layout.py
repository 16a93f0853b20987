"""Where MyoPS 2020 keeps its files, and what the values of its truth mean."""

from __future__ import annotations

CLASSES = ("blood pool", "myocardium", "edema", "scar")
"""Classes in the order of their numbers in prepared masks."""

LABEL_VALUES = {
    "blood pool": 500,
    "myocardium": 200,
    "edema": 1220,
    "scar": 2221,
    "right ventricle": 600,
}
"""Values in the files of truth; 0 is everything else."""

CHANNELS = ("LGE", "T2", "C0")
"""Sequences in the order of channels in prepared images."""

IMAGE_FOLDER = "train25"
TRUTH_FOLDER = "train25_myops_gd"
SEQUENCE_NAMES = {"LGE": "DE", "T2": "T2", "C0": "C0"}
"""What the files call a sequence: late gadolinium enhancement is delayed enhancement there."""


def sequence_file(patient: int, sequence: str) -> str:
    """The file of a sequence, from the folder of the data set.

    Example:
        >>> sequence_file(101, "LGE")
        'train25/myops_training_101_DE.nii.gz'
    """
    return f"{IMAGE_FOLDER}/myops_training_{patient}_{SEQUENCE_NAMES[sequence]}.nii.gz"


def truth_file(patient: int) -> str:
    """The file of truth, from the folder of the data set."""
    return f"{TRUTH_FOLDER}/myops_training_{patient}_gd.nii.gz"
