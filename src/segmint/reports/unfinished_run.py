"""A run that has not ended: what its folder tells of it so far."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from segmint.datasets import Dataset
from segmint.errors import InputError, SegmintError
from segmint.images import Image
from segmint.inference.tiling import Tiling
from segmint.methods.method import Outcome
from segmint.recipes.recipe import Predictor
from segmint.recipes.run import Run
from segmint.recipes.run_folder import CONFIG, LAST, Config, read_config
from segmint.recipes.settings import Settings, plain
from segmint.recipes.splits import Splits, open_splits
from segmint.recipes.supervised_options import DataOptions
from segmint.recipes.training import configured
from segmint.solvers.training_options import TrainingOptions

TABLE = "log.csv"

_COUNTERS = ("epoch", "step")
"""Of each row, from 1 up."""

_SCORES = ("val_mean_iou", "val_ensemble/mean_iou")
"""What chooses the weights, of one network or of several."""


class UnfinishedRun(Run):
    """What a finished run is for a report, as far as it is known.

    Args:
        folder: with the ``config.yaml`` of a run.
        data: False leaves the data set alone, which may be large or gone.

    Raises:
        InputError: when the configuration cannot be read.
        UsageError: when it asks for what there is not.
    """

    def __init__(self, folder: str | Path, *, data: bool = True) -> None:
        self.folder = Path(folder)
        self.config: Config = read_config(self.folder / CONFIG)
        self.settings: Settings = configured(self.config)
        self.peers = ()
        self.peer = None
        self._tiling = Tiling()
        self._predictor: Predictor = self._no_prediction
        self.splits: Splits | None = None
        self.note = ""
        """Why the data set cannot be shown, where it cannot."""
        self.record = {
            "recipe": self.config.recipe,
            "preset": self.config.preset,
            "options": plain(self.settings),
            "seed": self.config.seed,
        }
        self.update()
        if data and self.recipe.takes_dataset:
            self._open()

    @property
    def train_split(self) -> Dataset | None:
        """What is learned from, where it can be read."""
        return None if self.splits is None else self.splits.train

    @property
    def epochs(self) -> int | None:
        """Of the whole training, where that is known; time or patience may end it sooner."""
        options = [each for each in self.settings.values() if isinstance(each, TrainingOptions)]
        history = self.record["history"]
        if not options:
            return None
        epochs: int = options[0].epochs
        if options[0].steps and history:
            per_epoch = history[0]["step"] / history[0]["epoch"]
            epochs = math.ceil(options[0].steps / per_epoch)
        return epochs

    @property
    def last_step(self) -> datetime | None:
        """When the last epoch was written down, in local time."""
        try:
            return datetime.fromtimestamp((self.folder / TABLE).stat().st_mtime).astimezone()
        except OSError:
            return None

    def update(self) -> None:
        """Read what was written down since."""
        rows = read_rows(self.folder / TABLE)
        self.record["history"] = rows
        best = _best(rows)
        if best:
            self.record["best"] = best
        if rows:
            self.record["steps"] = int(rows[-1]["step"])
        seconds = _seconds(self.folder)
        if seconds is not None:
            self.record["seconds"] = seconds

    @property
    def can_predict(self) -> bool:
        """Whether some network answers already."""
        return self._predictor != self._no_prediction

    def predict_by(self, predictor: Predictor) -> None:
        """Answer with what was learned so far."""
        self._predictor = predictor

    def _open(self) -> None:
        """Look at the data set, and tell of it as the record of a finished run does."""
        options = next(each for each in self.settings.values() if isinstance(each, DataOptions))
        try:
            self.splits = open_splits(Path(self.config.data[0]), options, seed=self.config.seed)
        except SegmintError as error:
            self.note = f"The data set cannot be shown: {error}."
            return
        train = self.splits.train
        self.record |= {
            "dataset": dict(self.splits.described),
            "classes": list(train.classes),
            "palette": train.palette.tolist(),
            "ignore_index": train.ignore_index,
            "channels": train.channels,
            "channel_names": list(train.channel_names),
            "notes": list(self.splits.notes),
        }

    def _no_prediction(self, image: Image, region: Any) -> Outcome:
        raise InputError(
            f"{self.folder} is not finished and has no network that can be asked: wait for its end"
        )


def read_rows(table: Path) -> list[dict[str, float]]:
    """The rows of a ``log.csv``; empty cells are left out, and a row that is half written, too.

    Raises:
        InputError: when it holds what is no number, or rows that are not counted.
    """
    try:
        text = table.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{table} cannot be read ({error}): train again") from error
    whole = text[: text.rfind("\n") + 1]
    try:
        rows = [
            {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(whole.splitlines())
        ]
        if all(row[name] >= 1 and row[name].is_integer() for row in rows for name in _COUNTERS):
            return rows
    except (LookupError, ValueError, TypeError, csv.Error) as error:
        raise InputError(_damaged(table)) from error
    raise InputError(_damaged(table))


def _damaged(table: Path) -> str:
    return f"{table} is damaged and not the table of a training: bring it back, or train again"


def _best(rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Epoch and score of the best validation so far."""
    scored = [
        (row[name], int(row["epoch"]))
        for row in rows
        for name in _SCORES
        if math.isfinite(row.get(name, math.nan))
    ]
    if not scored:
        return {}
    score, epoch = max(scored, key=lambda each: (each[0], -each[1]))
    return {"epoch": epoch, "score": score}


def _seconds(folder: Path) -> float | None:
    """Spent so far, all sittings together, where the last checkpoint can be read."""
    from segmint.solvers.checkpoints import read_facts
    from segmint.solvers.training_facts import TrainingFacts

    path = folder / LAST
    try:
        return TrainingFacts.read(path, read_facts(path)).progress.seconds
    except InputError:
        return None
