"""Checkpoints: everything a training needs to go on as if nothing had happened.

A checkpoint is a safetensors file: tensors by name, and one entry of JSON. Reading it runs no code.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from segmint.errors import InputError, OutputError
from segmint.runs import atomic_path

FOLDER = "checkpoints"
LAST = f"{FOLDER}/last.ckpt"
BEST = f"{FOLDER}/best.ckpt"
FORMAT = "segmint checkpoint 1"

_ENTRY = "segmint"
_PARTS = ("task", "average", "optimizer")
_DAMAGES = (
    *(OSError, SafetensorError, RecursionError),
    *(ValueError, LookupError, TypeError, AttributeError),
)
"""What is raised where a file is not as it was written."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What is kept of a training after an epoch."""

    task: Mapping[str, Tensor]
    """Weights and buffers of the task."""
    average: Mapping[str, Tensor]
    """Their moving averages; empty without."""
    optimizer: Mapping[str, Tensor] = field(default_factory=dict)
    """What the optimizer remembers."""
    facts: Mapping[str, Any]
    """Progress, history and the options that must not change; plain data."""


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all: one that is cut off leaves the former as it was.

    Raises:
        OutputError: when it cannot be written.
    """
    tensors = {
        f"{part}.{name}": value.detach().cpu().contiguous()
        for part in _PARTS
        for name, value in getattr(checkpoint, part).items()
    }
    described = json.dumps({"format": FORMAT, "facts": checkpoint.facts})
    try:
        with atomic_path(path) as temporary:
            save_file(_apart(tensors), temporary, metadata={_ENTRY: described})
    except SafetensorError as error:
        raise OutputError(
            f"cannot write {path}: {error}; free some space or write to another place"
        ) from error


def copy_checkpoint(source: Path, target: Path) -> None:
    """Give a checkpoint another name, too; by a link where the file system has them.

    Raises:
        OutputError: when it cannot be written.
    """
    with atomic_path(target) as temporary:
        temporary.unlink()
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def read_checkpoint(path: Path) -> Checkpoint:
    """What :func:`write_checkpoint` wrote.

    Raises:
        InputError: when the file is missing, damaged, or not a checkpoint.
    """
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
    with _opened(path) as file:
        facts = _facts(file)
        for key in file.keys():  # noqa: SIM118
            part, _, name = key.partition(".")
            parts[part][name] = file.get_tensor(key)
    return Checkpoint(**parts, facts=facts)


def read_facts(path: Path) -> Mapping[str, Any]:
    """The facts of a checkpoint, without its tensors.

    Raises:
        InputError: as :func:`read_checkpoint`.
    """
    with _opened(path) as file:
        return _facts(file)


def damaged(path: Path, reason: object) -> InputError:
    """The error that says why a file is not what a training wrote."""
    return InputError(
        f"{path} is not a whole checkpoint that segmint wrote ({reason}): give another one, or "
        "remove it and train from the start"
    )


def check_fits(path: Path, saved: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Refuse weights of another network.

    Args:
        path: of the checkpoint, for the message.
        saved: weights in the checkpoint.
        own: those of the network that shall get them.

    Raises:
        InputError: says which names are missing, unknown or of another shape.
    """
    unlike = [key for key in own if key in saved and saved[key].shape != own[key].shape]
    found = [
        _listed("missing", [key for key in own if key not in saved]),
        _listed("unknown", [key for key in saved if key not in own]),
        _listed("of another shape", [f"{key} {_shapes(saved[key], own[key])}" for key in unlike]),
    ]
    differences = "; ".join(filter(None, found))
    if differences:
        raise InputError(
            f"{path} holds another network: {differences}; "
            "build the network it was made with, or train from the start"
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist, accepted is a checkpoint that a training wrote: check the name"
        ) from error
    except _DAMAGES as error:
        raise damaged(path, error) from error


def _facts(file: Any) -> Mapping[str, Any]:
    described = json.loads((file.metadata() or {}).get(_ENTRY, "{}"))
    if described.get("format") != FORMAT:
        raise ValueError(f"it says format {described.get('format')!r}, not {FORMAT!r}")
    facts = described["facts"]
    if not isinstance(facts, dict):
        raise TypeError("its facts are no mapping")
    return facts


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return ""
    verb = "weight is" if len(names) == 1 else "weights are"
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {verb} {what} ({shown})"


def _shapes(saved: Tensor, own: Tensor) -> str:
    return f"{tuple(saved.shape)} in place of {tuple(own.shape)}"


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, each with memory of its own, as the format asks for."""
    seen: set[int] = set()
    found = {}
    for name, value in tensors.items():
        pointer = value.untyped_storage().data_ptr()
        found[name] = value.clone() if pointer in seen else value
        seen.add(pointer)
    return found
