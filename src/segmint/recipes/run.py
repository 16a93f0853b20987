"""Runs: what was learned, and what it says of images."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.devices import memory_errors
from segmint.errors import InputError, UsageError, nearest, shortened
from segmint.images import Image
from segmint.inference.tiling import Tiling
from segmint.recipes import recipes
from segmint.recipes.answering import Answering, checked
from segmint.recipes.recipe import EveryPeer, Recipe
from segmint.recipes.run_folder import LAST, RUN, is_unfinished

_KINDS = {"recipe": str, "options": dict, "seed": int}
_KINDS_IF_GIVEN: dict[str, type | tuple[type, ...]] = {
    "dataset": dict,
    "classes": list,
    "channel_names": list,
    "history": list,
    "versions": dict,
    "best": dict,
    "notes": list,
    "images": list,
    "steps": int,
    "seconds": (int, float),
    "stopped": str,
}
_DATASET_KINDS = {
    "name": str,
    "root": str,
    "train_split": str,
    "val_split": str,
    "train_images": int,
    "val_images": int,
    "arguments": dict,
}
_COUNTERS = ("epoch", "iteration", "step")
"""What rows of the history are counted by."""


class Run(Answering):
    """A folder with everything one training made.

    Args:
        folder: what :func:`segmint.train` wrote.
        device: where predictions are computed.
        precision: of their arithmetic.
        peer: of a run with several networks, the name of the one that answers, or of an ensemble
            of them; None is the one that was best in training.
        tiling: how large images are cut, and test-time augmentation.

    Raises:
        InputError: when the folder is not a finished run, or holds a damaged file.
        UsageError: for an unknown device, precision or peer, or for test-time augmentation of what
            has none.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        peer: str | None = None,
        tiling: Tiling | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.record = read_record(self.folder)
        self.peers: tuple[str, ...] = self.recipe.peers(self.record)
        """Names of all peers and ensembles that can answer, the best one first; none where the run
        has one network."""
        self.peer = self._checked_peer(peer)
        """The one that answers, where there are several."""
        own: dict[str, Any] = {} if self.peer is None else {"peer": self.peer}
        self._tiling = tiling or Tiling()
        self._predictor = self.recipe.load(
            self.folder,
            self.record,
            device=device,
            precision=precision,
            tiling=self._tiling,
            **own,
        )

    @property
    def method(self) -> str:
        """Who answers, as a result says it."""
        return f"run of {self.record['recipe']}"

    @property
    def seed(self) -> int:
        """Of the training."""
        return int(self.record["seed"])

    @property
    def arithmetic(self) -> str | None:
        """The type that networks compute in, for those that learned classes; None for others."""
        prediction = getattr(self._predictor, "prediction", None)
        return None if prediction is None else str(prediction.arithmetic)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the labels beside :attr:`described`."""
        files = [self.folder / RUN, *sorted(self.folder.glob("**/*.safetensors"))]
        changed = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        return {**super().identity, "run_changed": changed}

    @property
    def are_several(self) -> bool:
        """Whether several networks answer, that can disagree."""
        return bool(self.peers)

    @property
    def classes(self) -> int:
        """Classes or components that an answer can have."""
        return len(self.record.get("classes", ())) or int(self.record.get("components", 1))

    @property
    def recipe(self) -> Recipe:
        """By which it was learned."""
        found: Recipe = recipes.load(self.record["recipe"])
        return found

    @property
    def described(self) -> dict[str, Any]:
        """What a result of this run says of how it was made."""
        own = {} if self.peer is None else {"peer": self.peer}
        seen = self._tiling.described()
        return {"run": str(self.folder), **own, **seen, **self.record["options"]}

    def answers(
        self, image: ArrayLike | Image, *, region: ArrayLike | None = None
    ) -> dict[str, NDArray[np.int32]]:
        """What each peer and each ensemble says; each network is computed once.

        Args:
            image: like those that the run learned on.
            region: as for :meth:`segment`.

        Returns:
            Labels (H, W), or (D, H, W) of a stack, by name; a run with one network has one entry,
            the name of its recipe.
        """
        if not self.peers:
            return {str(self.record["recipe"]): self.predict(image, region=region)}
        source, where = checked(image, region)
        with memory_errors():
            return cast(EveryPeer, self._predictor).answers(source, where)

    def __repr__(self) -> str:
        place = self.record.get("dataset", {}).get("name")
        score = self.record.get("best", {}).get("score")
        of = f" on {place}" if place else ""
        worth = "" if score is None else f", validation mean IoU {score:.3f}"
        who = "" if self.peer is None else f", {self.peer} answers"
        return f"<Run of {self.record['recipe']}{of}{worth}{who}: {self.folder}>"

    def _checked_peer(self, peer: str | None) -> str | None:
        if peer is None:
            return next(iter(self.peers), None)
        if not isinstance(peer, str):
            raise UsageError(
                f"peer is {shortened(repr(peer))}, accepted is the name of a peer, or None for the "
                "one that was best: give one"
            )
        shown = shortened(peer)
        if not self.peers:
            raise UsageError(
                f"--peer is {shown!r}, but {self.folder} is a run of {self.record['recipe']} with "
                "one network: leave it out"
            )
        if peer not in self.peers:
            known = nearest(shown, self.peers)
            raise UsageError(f"--peer is {shown!r}, which {self.folder} does not have: {known}")
        return peer


def read_record(folder: Path) -> dict[str, Any]:
    """What ``run.json`` says of a finished run.

    Raises:
        InputError: when the folder is not a finished run, or the file is damaged.
    """
    try:
        record = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(_not_a_run(folder)) from error
    found = record if isinstance(record, dict) else {}
    wrong = [name for name, kind in _KINDS.items() if not isinstance(found.get(name), kind)]
    wrong = wrong or ([] if found["recipe"] in recipes else ["recipe"])
    wrong = wrong or _damaged(found)
    wrong = wrong or _damaged_options(found) or _damaged_peers(found)
    if wrong:
        raise InputError(
            f"{folder / RUN} is damaged or of another version "
            f"(no usable {', '.join(wrong)}): train again"
        )
    return found


def _damaged_options(record: dict[str, Any]) -> list[str]:
    """Sections of the recipe that are missing, or hold what no training takes."""
    recipe: Recipe = recipes.load(record["recipe"])
    wrong = []
    for section, options in recipe.sections.items():
        try:
            options.from_mapping(record["options"][section])
        except (UsageError, LookupError, OverflowError):
            wrong.append(f"options.{section}")
    return wrong


def _damaged_peers(record: dict[str, Any]) -> list[str]:
    recipe: Recipe = recipes.load(record["recipe"])
    try:
        recipe.peers(record)
    except ValueError as error:
        return [str(error)]
    return []


def _damaged(record: dict[str, Any]) -> list[str]:
    """Names of entries that are not what :func:`segmint.train` writes."""
    wrong = [
        name
        for name, kinds in _KINDS_IF_GIVEN.items()
        if name in record and not isinstance(record[name], kinds)
    ]
    told = record.get("dataset")
    if told is None and recipes.load(record["recipe"]).takes_dataset:
        wrong.append("dataset")
    if isinstance(told, dict):
        wrong += [
            f"dataset.{name}"
            for name, kind in _DATASET_KINDS.items()
            if not isinstance(told.get(name), kind)
        ]
    lists = {"channel_names": str, "classes": str, "history": dict}
    wrong += [
        name
        for name, kind in lists.items()
        if name not in wrong and not all(isinstance(each, kind) for each in record.get(name, ()))
    ]
    if "history" not in wrong and not _are_rows(record.get("history", [])):
        wrong.append("history")
    if record["seed"] < 0:
        wrong.append("seed")
    sections = record["options"].values()
    return wrong + ([] if all(isinstance(each, dict) for each in sections) else ["options"])


def _are_rows(history: list[dict[str, Any]]) -> bool:
    """Whether values are numbers, or None where they were not finite, and all rows are counted."""
    counters = [name for name in _COUNTERS if history and name in history[0]]
    return all(
        all(value is None or _is_number(value) for value in row.values())
        and all(_is_number(row.get(name)) for name in counters)
        for row in history
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def _not_a_run(folder: Path) -> str:
    if is_unfinished(folder) and (folder / LAST).is_file():
        return (
            f"{folder} is not a finished run (it was cut off): go on with "
            f"'segmint train --resume {folder}'"
        )
    return (
        f"{folder} is not a finished run (no readable {RUN}): "
        "give a folder that 'segmint train' wrote"
    )
