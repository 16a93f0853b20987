"""What becomes of a run that a command finds where it wants to write its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmint.errors import SegmintError, UsageError
from segmint.recipes.run_folder import (
    CONFIG,
    Config,
    is_finished,
    is_unfinished,
    read_config,
)

NEW, GOES_ON, FINISHED = "new", "goes on", "finished"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A training that a command asks for."""

    config: Config
    values: Mapping[str, Any]
    """Options that change it."""
    out: Path
    overwrite: bool
    again: bool
    """A launcher or scheduler has started the command once more."""


def standing_of(wish: Wish) -> str:
    """Whether a training is new, goes on, or is finished.

    A launcher or scheduler that starts a command again, after a process or machine was lost,
    starts the very same one: then what it finds is its own run, if that was asked for alike.

    Raises:
        UsageError: when a run is in the way.
    """
    out = wish.out
    if out.is_file():
        raise UsageError(f"--out {out} is a file: name a folder")
    if wish.again and _is_alike(wish):
        if is_unfinished(out):
            return GOES_ON
        if not wish.overwrite:
            return FINISHED
    if wish.overwrite:
        return NEW
    if is_finished(out):
        raise UsageError(f"{out} holds a finished run: pass --overwrite or another --out")
    if is_unfinished(out):
        raise UsageError(
            f"{out} holds a run that was cut off: go on with --resume {out}, or pass --overwrite "
            "or another --out"
        )
    return NEW


def _is_alike(wish: Wish) -> bool:
    """Whether the folder holds a run, finished or not, that was asked for as this one is."""
    try:
        found = read_config(wish.out / CONFIG)
        return _told(found, {}) == _told(wish.config, wish.values)
    except SegmintError:
        return False


def _told(config: Config, values: Mapping[str, Any]) -> tuple[Any, ...]:
    from segmint.recipes.training import configured

    data = [str(Path(path).absolute()) for path in config.data]
    arithmetic = (config.seed, config.device, config.precision)
    return config.recipe, data, arithmetic, config.files, configured(config, values)
