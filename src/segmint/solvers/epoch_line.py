"""An epoch in one line that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segmint.solvers.learning_task import Row

VALIDATION = "val_"
"""Before the names of scores in rows."""

_NOT_PARTS = ("epoch", "step", "learning_rate", "loss")
_SHOWN = "mean_iou"
"""The one score that is shown of each of several networks."""


def epoch_line(
    row: Row, *, epochs: int, seconds: float, images: float, seconds_left: float | None
) -> str:
    """What ``log.txt`` says of an epoch.

    Of what the row holds of each of several networks, ``NAME/WHAT``, only ``val_NAME/mean_iou`` is
    shown, the networks side by side.

    Args:
        row: of the epoch.
        epochs: of the whole run.
        seconds: that its steps took.
        images: that it learned from.
        seconds_left: of the run, where that can be estimated.

    Example:
        >>> row = {"epoch": 2, "step": 6, "learning_rate": 0.001, "loss": 0.5, "val_mean_iou": 0.25}
        >>> epoch_line(row, epochs=9, seconds=2.0, images=24, seconds_left=75)
        'epoch 2/9, step 6: loss 0.5, val mean_iou 0.25, rate 0.001, 2.0 s, 12 images/s, 1:15 left'
    """
    common = [name for name in row if name not in _NOT_PARTS and "/" not in name]
    parts = [name for name in common if not name.startswith(VALIDATION)]
    scores = [name for name in common if name.startswith(VALIDATION)]
    loss = f"loss {_short(row['loss'])}"
    if len(parts) > 1:
        loss += f" ({', '.join(f'{name} {_short(row[name])}' for name in parts)})"
    said = [loss, *_of_networks(row)]
    said += [f"val {name.removeprefix(VALIDATION)} {_short(row[name])}" for name in scores]
    said += [f"rate {_short(row['learning_rate'])}", f"{seconds:.1f} s"]
    said.append(f"{images / max(seconds, 1e-9):.3g} images/s")
    if seconds_left is not None:
        said.append(f"{clock_time(seconds_left)} left")
    return f"epoch {row['epoch']:.0f}/{epochs}, step {row['step']:.0f}: {', '.join(said)}"


def _of_networks(row: Row) -> list[str]:
    """The score of each network, in as few words as can be."""
    scores = {
        name.removeprefix(VALIDATION).removesuffix(f"/{_SHOWN}"): value
        for name, value in row.items()
        if name.startswith(VALIDATION) and name.endswith(f"/{_SHOWN}")
    }
    if not scores:
        return []
    each = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
    return [f"val {_SHOWN} {each}"]


def clock_time(seconds: float) -> str:
    """A duration as clocks show it.

    Example:
        >>> clock_time(75), clock_time(3700)
        ('1:15', '1:01:40')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _short(value: float) -> str:
    return f"{value:.4g}"
