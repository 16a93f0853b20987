"""Named groups of arms: the comparisons that people want most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from segmint.comparisons.arm import BLANK, Arm
from segmint.errors import InputError

LAM = 1.0
"""Weight of the known means in the rows of the mixtures that know them."""
MEANS = "mu_data.csv"
"""What ``segmint data prepare myops`` calls the file of known means."""


def study(root: Path) -> tuple[Arm, ...]:
    """The three systems of the mutual information study."""
    return tuple(_recipe(name, name) for name in ("unet", "unet-rmi", "mutual"))


def label_free(root: Path) -> tuple[Arm, ...]:
    """A blank answer, plain baselines, and the methods."""
    names = ("felzenszwalb", "slic", "kmeans", "em-gmm", "em-svgmm", "clustering", "hybrid")
    return (
        Arm(label=BLANK, way="method", name=BLANK),
        *(Arm(label=name, way="method", name=name) for name in names),
    )


def mixtures(root: Path) -> tuple[Arm, ...]:
    """The ten rows of Schwab, Mayr and Haltmeier (2024).

    Raises:
        InputError: when the data set has no file of known means.
    """
    path = root / MEANS
    if not path.is_file():
        raise InputError(
            f"{path} does not exist, which the arms of mixtures take known means from: give the "
            "folder that 'segmint data prepare myops' wrote"
        )
    means = str(path.absolute())
    arms = []
    for name in ("em-gmm", "em-svgmm"):
        arms += [
            Arm(label=f"{name}-random", way="method", name=name, values={"init": "random"}),
            Arm(label=f"{name}-means", way="method", name=name, values={"mu_data": means}),
        ]
    for name in ("deepg", "deepsvg"):
        known = {"mu_data": means, "lam": LAM}
        arms += [
            Arm(label=f"{name}-free", way="method", name=name, values={"lam": 0.0}),
            Arm(label=f"{name}-means", way="method", name=name, values=known),
            _recipe(f"{name}-many", name, mixture=known),
        ]
    return tuple(arms)


GROUPS: Mapping[str, Callable[[Path], tuple[Arm, ...]]] = {
    "study": study,
    "label-free": label_free,
    "mixtures": mixtures,
}
"""From the root of the data set to arms, by what stands in their place on the command line."""


def _recipe(label: str, name: str, **values: object) -> Arm:
    return Arm(label=label, way="recipe", name=name, values=values)
