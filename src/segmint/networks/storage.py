"""Networks on disk as safetensors: loading a file never runs code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from segmint.errors import InputError, UsageError
from segmint.networks import build
from segmint.runs import atomic_path

FORMAT = "segmint network 1"

_ENTRY = "segmint"


def save_network(path: Path, network: nn.Module, *, name: str = "clustering") -> None:
    """Write the weights and what is needed to build the network again.

    Args:
        path: the file, ``.safetensors`` by custom.
        network: a network of the registry that tells its own ``configuration``.
        name: its name in the registry.

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
        reason = "it is a folder" if path.is_dir() else str(error)
        raise InputError(
            f"{path} is not a network written by segmint ({reason}): give a file that --save-model "
            "or 'segmint train' wrote"
        ) from error
    if described.get("format") != FORMAT:
        raise InputError(
            f"{path} says format {described.get('format')!r}, accepted is {FORMAT!r}: "
            "train again with this version"
        )
    try:
        network = build(described["network"], **described["configuration"])
        network.load_state_dict(state)
    except (UsageError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path} does not hold the weights that it announces: train again"
        ) from error
    return network


def _described(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """What the file says of its network; nothing where it says nothing that can be read."""
    try:
        found = json.loads((metadata or {}).get(_ENTRY, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
