"""Whether a run has ended, and what its page says where it has not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from segmint.recipes.run_folder import LAST
from segmint.reports.page import Late
from segmint.reports.shell import shell_line
from segmint.reports.unfinished_run import UnfinishedRun
from segmint.solvers.epoch_line import clock_time

REFRESH = 30
"""Seconds after which a page of a training that runs is read once more."""

FAILED = "failed: "
"""What the last line of ``log.txt`` begins with where learning failed."""

DIARY = "log.txt"

_PATIENCE = 3.0
"""Epochs without a word after which a training does not seem to run any more."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the page of a run says first of all."""

    notice: str = ""
    refresh: int | None = None
    late: Late | None = None
    """What it says where nobody has written it anew for long."""


FINISHED = Standing()


def running(run: UnfinishedRun, *, seconds_left: float | None, epoch_seconds: float) -> Standing:
    """A training that has just written an epoch.

    Args:
        run: whose rows are up to date.
        seconds_left: an estimate, where there is one.
        epoch_seconds: what an epoch takes.
    """
    left = "" if seconds_left is None else f", {clock_time(seconds_left)} left"
    last = run.last_step
    at = "" if last is None else f" (written at {last:%H:%M:%S})"
    quiet = _PATIENCE * max(epoch_seconds, REFRESH)
    late = (
        None if last is None else Late(after=math.ceil(last.timestamp() + quiet), text=_since(last))
    )
    return Standing(notice=f"Unfinished: {_place(run)}{left}{at}.", refresh=REFRESH, late=late)


def interrupted(run: UnfinishedRun, *, reason: str = "") -> Standing:
    """A training that has not ended, seen from outside.

    Args:
        run: whose rows are up to date.
        reason: why it stopped, one sentence; empty looks for one in the folder.
    """
    reason = reason or _failure(run.folder)
    said = f" It {reason.rstrip('.')}." if reason else _silence(run)
    line = shell_line(["train", "--resume", run.folder])
    on = f" '{line}' goes on." if (run.folder / LAST).is_file() else ""
    return Standing(notice=f"Unfinished: {_place(run)}.{said}{on}")


def _silence(run: UnfinishedRun) -> str:
    """How long nothing was written down, as far as that means something."""
    last, history = run.last_step, run.record["history"]
    if last is None:
        return ""
    silent = (datetime.now().astimezone() - last).total_seconds()
    each = run.record.get("seconds", 0.0) / max(len(history), 1)
    if history and silent < _PATIENCE * max(each, REFRESH):
        return f" Its last epoch ended at {_clock(last)}; it may be running."
    return f" No step since {_clock(last)}."


def _place(run: UnfinishedRun) -> str:
    """How far it is."""
    history = run.record["history"]
    if not history:
        return "no epoch is complete"
    counter = next((name for name in ("epoch", "iteration", "step") if name in history[-1]), None)
    if counter is None:
        return "it has begun"
    of = f" of {run.epochs}" if counter == "epoch" and run.epochs else ""
    return f"{counter} {history[-1][counter]:.0f}{of}"


def _failure(folder: Path) -> str:
    """What the diary ends with, where learning failed."""
    try:
        lines = (folder / DIARY).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1] if lines and lines[-1].startswith(FAILED) else ""


def _since(last: datetime) -> str:
    return (
        f"Unfinished, and no step since {_clock(last)}: the training has stopped, or an epoch "
        "takes long."
    )


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} on {moment:%Y-%m-%d}"
