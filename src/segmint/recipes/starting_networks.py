"""The network that a training starts with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.errors import UsageError
from segmint.networks import build
from segmint.networks.zoo_names import DOWNLOAD, PREFIX

if TYPE_CHECKING:
    from torch import nn

    from segmint.datasets.dataset import Dataset

_OF_THE_NAME = ("name", "architecture", "encoder", "self")
"""What the name of a network says, so that no option can."""


def starting_network(
    name: str, train: Dataset, *, seed: int, weights: str | None, options: Mapping[str, Any]
) -> nn.Module:
    """A network for the images and classes of a data set.

    Args:
        name: that :func:`segmint.networks.build` knows it by.
        train: what it will learn from.
        seed: of its initial weights.
        weights: a file, or for networks of the zoo ``download``; None starts by chance.
        options: of the network.

    Raises:
        UsageError: for an unknown network or option, or published weights of a network that has
            none.
        InputError: for weights that cannot be read, or are of another network.
    """
    from segmint.networks.weights import load_weights, read_weights

    own = dict(options)
    in_zoo = name.startswith(PREFIX)
    for option in _OF_THE_NAME:
        if option in own:
            raise UsageError(
                f"network {name!r} does not take {option}: which network it is, its name says "
                "alone; leave it out"
            )
    if weights == DOWNLOAD and not in_zoo:
        raise UsageError(
            f"network {name!r} cannot download weights: only {PREFIX} networks have published "
            "weights; name a file of weights, or leave them out"
        )
    if in_zoo and weights is not None:
        own["weights"] = weights
    network = build(name, in_channels=train.channels, classes=len(train.classes), seed=seed, **own)
    if weights is not None and not in_zoo:
        load_weights(network, read_weights(Path(weights)), Path(weights))
    return network
