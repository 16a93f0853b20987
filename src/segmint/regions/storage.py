"""Hierarchies on disk as compressed ``.npz`` without pickle."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.merge_tree import MergeTree
from segmint.runs import atomic_path

_NAMES = ("leaves", "merges", "heights", "assignment")
_DAMAGE = (
    InputError,
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged file may raise."""


def save_hierarchy(path: Path, hierarchy: RegionHierarchy) -> None:
    """Write leaves, tree and assignment, whole or not at all.

    Raises:
        OutputError: when the file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            leaves=hierarchy.leaves,
            merges=hierarchy.tree.merges,
            heights=hierarchy.tree.heights,
            assignment=hierarchy.assignment,
        )


def load_hierarchy(path: Path) -> RegionHierarchy:
    """Read what :func:`save_hierarchy` wrote.

    Raises:
        InputError: when the file is missing or is no such file.
    """
    try:
        # Opened here, because NumPy leaves a damaged file open.
        with path.open("rb") as stream, np.lib.npyio.NpzFile(stream, allow_pickle=False) as file:
            leaves, merges, heights, assignment = (file[name] for name in _NAMES)
        hierarchy = _checked(leaves, MergeTree(merges, heights), assignment)
    except _DAMAGE as error:
        raise InputError(
            f"{path} is not a hierarchy written by segmint ({error}): segment the image again"
        ) from error
    return hierarchy


def _checked(
    leaves: NDArray[np.int32], tree: MergeTree, assignment: NDArray[np.int32]
) -> RegionHierarchy:
    if assignment.shape != (tree.leaves,) or assignment.dtype != np.int32:
        raise InputError(f"assignment of {assignment.dtype} and shape {assignment.shape}")
    if leaves.dtype != np.int32 or leaves.min() < -1 or leaves.max() >= tree.leaves:
        raise InputError(f"leaves of {leaves.dtype} beyond 0 to {tree.leaves - 1}")
    return RegionHierarchy(leaves=leaves, tree=tree, assignment=assignment)
