"""Hierarchies on disk as compressed ``.npz`` without pickle."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from segmint.errors import InputError
from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.merge_tree import MergeTree
from segmint.runs import atomic_path

_NAMES = ("leaves", "merges", "heights", "assignment")


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
        with np.load(path, allow_pickle=False) as file:
            leaves, merges, heights, assignment = (file[name] for name in _NAMES)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is not a hierarchy written by segmint ({error}): segment the image again"
        ) from error
    tree = MergeTree(merges=merges, heights=heights)
    return RegionHierarchy(leaves=leaves, tree=tree, assignment=assignment)
