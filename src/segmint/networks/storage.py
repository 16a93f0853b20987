"""Networks on disk as safetensors: loading a file never runs code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from segmint.errors import InputError, SegmintError, UsageError
from segmint.networks import build
from segmint.networks.weights import differences
from segmint.runs import atomic_path

FORMAT = "segmint network 1"

_ENTRY = "segmint"
_PICKLES = (b"PK\x03\x04", b"\x80")
"""What files of ``torch.save`` and of ``pickle`` begin with."""
_REFUSALS = (SegmintError, LookupError, TypeError, ValueError, AttributeError, RuntimeError)
"""What is raised for a description that fits no network."""


def save_network(path: Path, network: nn.Module, *, name: str = "clustering") -> None:
    """Write the weights and what is needed to build the network again.

    Args:
        path: the file, ``.safetensors`` by custom.
        network: tells its own ``configuration``, the arguments that build it again.
        name: that :func:`segmint.networks.build` knows it by.

    Raises:
        InputError: when a weight is NaN or infinite.
        OutputError: when the file cannot be written.
    """
    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise InputError(
            "the learned network holds values that are no numbers: lower --learning-rate"
        )
    configuration: Any = network.configuration
    described = {"format": FORMAT, "network": name, "configuration": configuration}
    # One entry, because the library writes several in random order.
    content = save(state, metadata={_ENTRY: json.dumps(described)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def load_network(path: Path) -> nn.Module:
    """The network of a file written by :func:`save_network`.

    Raises:
        InputError: when the file is missing, is no such file, or its weights do not fit.
    """
    try:
        with safe_open(path, framework="pt") as file:
            described = _described(file.metadata())
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist, accepted is a network that segmint wrote: check the name"
        ) from error
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path} is not a network written by segmint ({_reason(path, error)}): "
            "give a file that --save-model or 'segmint train' wrote"
        ) from error
    if described.get("format") != FORMAT:
        raise InputError(
            f"{path} says format {described.get('format')!r}, accepted is {FORMAT!r}: "
            "train again with this version"
        )
    network = _rebuilt(described, path)
    different = differences(network.state_dict(), state)
    if different:
        raise InputError(
            f"{path} does not hold the weights of the {described['network']!r} that it announces: "
            f"{different}; train again"
        )
    network.load_state_dict(state)
    return network


def _rebuilt(described: Mapping[str, Any], path: Path) -> nn.Module:
    """The network with weights of chance."""
    try:
        configuration: dict[str, Any] = dict(described["configuration"])
        if "weights" in configuration:
            raise UsageError("a network file may not name other weights to read or to download")
        return build(str(described["network"]), **configuration)
    except _REFUSALS as error:
        raise InputError(
            f"{path} does not hold the weights that it announces, for no such network can be built "
            f"({error}): train again"
        ) from error


def _reason(path: Path, error: Exception) -> str:
    """Why a file cannot be read as safetensors."""
    if path.is_dir():
        return "it is a folder"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_PICKLES):
        return "it is a pickle, which may run code and is refused"
    return f"it is cut short or something else, {error}"


def _described(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """What the file says of its network; nothing where it says nothing that can be read."""
    try:
        found = json.loads((metadata or {}).get(_ENTRY, "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
