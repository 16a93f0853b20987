"""Weights in files, and whether they fit a network; reading a file never runs code."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch._weights_only_unpickler import UnpicklingError  # type: ignore[attr-defined]

from segmint.errors import InputError, shortened

NESTED = ("state_dict", "model")
"""Names under which training programs keep weights beside other things."""

_SHOWN = 3
_STARTS = (b"PK\x03\x04", b"\x80")
"""What files of ``torch.save`` begin with, new ones and old ones."""
_UNREADABLE = (
    *(SafetensorError, OSError, EOFError, RuntimeError, ValueError, LookupError, AssertionError),
    *(AttributeError, TypeError, ArithmeticError, struct.error),
)
"""What the readers raise for bytes that are damaged."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name, from safetensors or from what ``torch.save`` wrote.

    A file of ``torch.save`` is a pickle; it is read by an interpreter of pickles that makes tensors
    and plain containers and refuses all else.

    Args:
        path: ``.safetensors``, or ``.pth``, ``.pt``, ``.bin``.

    Raises:
        InputError: when the file is missing, cut short, or holds anything but tensors by name.
    """
    if not os.path.isfile(path):  # noqa: PTH113 (Path.is_file fails for names that are too long)
        raise _no_file(path)
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            # It warns of pickles that others wrote, which it reads or refuses all the same.
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if not _starts_well(path):
            raise InputError(
                f"{path} is no file of weights, accepted is one of safetensors or torch.save: "
                "check the name"
            ) from error
        raise InputError(
            f"weights {path} hold pickled objects other than tensors, which may run code, and are "
            "refused: save the state_dict alone, or as safetensors"
        ) from error
    except _UNREADABLE as error:
        raise InputError(
            f"weights {path} cannot be read, accepted is a whole file of safetensors or torch.save "
            f"({_first_line(error)}): get the file again"
        ) from error
    return _tensors(content, path)


def differences(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """How weights differ from those a network has, by name and shape; empty when they do not.

    Example:
        >>> have, want = torch.zeros(2), torch.zeros(3)
        >>> differences({"a": want, "b": want}, {"a": have, "c": have})
        '1 missing (b), 1 unknown (c), 1 of another shape (a is 2 instead of 3)'
    """
    missing = [name for name in expected if name not in found]
    unknown = [name for name in found if name not in expected]
    other = [
        f"{name} is {_shape(found[name])} instead of {_shape(value)}"
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    kinds = {"missing": missing, "unknown": unknown, "of another shape": other}
    return ", ".join(f"{len(all_)} {kind} ({_few(all_)})" for kind, all_ in kinds.items() if all_)


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Put weights into a network that has exactly these.

    Raises:
        InputError: says how many differ and names the first three of each kind.
    """
    different = differences(network.state_dict(), weights)
    if different:
        raise InputError(
            f"{path} holds weights of another architecture: {different}; "
            "name the network that they were trained with"
        )
    network.load_state_dict(weights)


def _no_file(path: Path) -> InputError:
    """Why there are no weights at a path."""
    if os.path.isdir(path):  # noqa: PTH112
        return InputError(f"weights {path} are a folder, accepted is a file of weights: name one")
    if os.path.exists(path):  # noqa: PTH110
        return InputError(f"{path} is no file of weights, accepted is a file: name one")
    return InputError(
        f"weights {shortened(str(path))} do not exist, accepted is a file: check the name"
    )


def _starts_well(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith(_STARTS)


def _tensors(content: object, path: Path) -> dict[str, Tensor]:
    for name in NESTED:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if not isinstance(content, dict) or not content:
        raise InputError(
            f"weights {path} hold a {type(content).__name__}, accepted are tensors by name: "
            "save the state_dict of a network"
        )
    odd = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if odd:
        raise InputError(
            f"weights {path} hold {len(odd)} entries that are no tensors ({_few(odd)}): "
            "save the state_dict of a network"
        )
    return content


def _few(names: Collection[object]) -> str:
    shown = ", ".join(str(name) for name in list(names)[:_SHOWN])
    return f"{shown}, ..." if len(names) > _SHOWN else shown


def _shape(value: Tensor) -> str:
    return "x".join(str(size) for size in value.shape) or "a number"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
