"""Weights from a file for a network of the zoo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from segmint.errors import InputError
from segmint.networks.weights import differences, load_weights, read_weights

_COLORS = 3
"""Channels of the images that published encoders were trained on."""
_COUNTERS = "num_batches_tracked"
"""Not in older files, and without effect."""


def load_zoo_weights(network: Any, path: Path) -> None:
    """Put weights of a file into a network of segmentation-models-pytorch, or into its encoder.

    A file of the whole network has exactly its tensors. A file of the encoder may hold more, such
    as the classifier that it was trained with; its first convolution is fitted to the channels of
    the image.

    Args:
        network: with an ``encoder``, a ``decoder`` and a head.
        path: safetensors, or what ``torch.save`` wrote.

    Raises:
        InputError: when the file cannot be read or holds weights of another network.
    """
    weights = {name.removeprefix("network."): value for name, value in read_weights(path).items()}
    if any(name.startswith("decoder.") for name in weights):
        load_weights(network, weights, path)
        return
    expected = network.encoder.state_dict()
    found = _encoder_weights(expected, weights)
    different = differences(
        {name: value for name, value in expected.items() if not name.endswith(_COUNTERS)},
        {name: value for name, value in found.items() if not name.endswith(_COUNTERS)},
    )
    if different:
        raise InputError(
            f"{path} holds neither weights of this network nor of its encoder: {different}; "
            "name the architecture and encoder that they were trained with"
        )
    network.encoder.load_state_dict({**expected, **found})


def _encoder_weights(
    expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Those of a file that the encoder knows, under the encoder's names."""
    known = {_plain(name): name for name in expected}
    found = {known[_plain(name)]: value for name, value in weights.items() if _plain(name) in known}
    return {name: _fitted(value, expected[name]) for name, value in found.items()}


def _plain(name: str) -> str:
    """A name without what wrappers of encoders change in it: prefixes, and dots between stages."""
    for prefix in ("encoder.", "model.", "model."):
        name = name.removeprefix(prefix)
    return name.replace(".", "_")


def _fitted(weight: Tensor, expected: Tensor) -> Tensor:
    """Weight of a first convolution for another number of image channels.

    Colors are repeated as often as it takes and scaled, so that a grey image answers as before.
    """
    channels = expected.shape[1] if expected.ndim == 4 else 0
    elsewhere = weight.shape[:1] + weight.shape[2:] == expected.shape[:1] + expected.shape[2:]
    if channels == 0 or not elsewhere or weight.shape[1] != _COLORS or channels == _COLORS:
        return weight
    chosen = [channel % _COLORS for channel in range(channels)]
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    return weight[:, chosen] * (_COLORS / channels)
