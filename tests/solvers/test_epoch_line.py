from __future__ import annotations

import math

from segmint.solvers.epoch_line import clock_time, epoch_line

START = {"epoch": 2.0, "step": 6.0, "learning_rate": 0.001, "loss": 0.51234}


def line(row: dict[str, float], *, seconds_left: float | None = None) -> str:
    return epoch_line({**START, **row}, epochs=9, seconds=2.0, images=24, seconds_left=seconds_left)


def test_one_network() -> None:
    parts = {"cross_entropy": 0.5, "dice": 0.01234}
    assert line({**parts, "val_loss": 0.75, "val_mean_iou": 0.28916}, seconds_left=75) == (
        "epoch 2/9, step 6: loss 0.5123 (cross_entropy 0.5, dice 0.01234), val loss 0.75, "
        "val mean_iou 0.2892, rate 0.001, 2.0 s, 12 images/s, 1:15 left"
    )


def test_of_several_networks_one_score_is_shown() -> None:
    names = ("deeplabv3-resnet50", "unet", "deeplabv3-resnet50-solo", "unet-solo")
    row = {f"{name}/{part}": 1.0 for name in names for part in ("cross_entropy", "mutual")}
    row |= {"unet>deeplabv3-resnet50/divergence": 0.1, "agreement": 0.93}
    for number, name in enumerate((*names, "ensemble", "ensemble-solo")):
        row |= {f"val_{name}/loss": 2.0, f"val_{name}/accuracy": 0.5}
        row[f"val_{name}/mean_iou"] = 0.31234 + number / 10
    assert line({**row, "val_agreement": 0.95, "val_gap": 0.03}) == (
        "epoch 2/9, step 6: loss 0.5123, val mean_iou deeplabv3-resnet50 0.312, unet 0.412, "
        "deeplabv3-resnet50-solo 0.512, unet-solo 0.612, ensemble 0.712, ensemble-solo 0.812, "
        "val agreement 0.95, val gap 0.03, rate 0.001, 2.0 s, 12 images/s"
    )


def test_an_epoch_without_validation() -> None:
    row = {"a/cross_entropy": 0.5, "b/cross_entropy": 0.7, "agreement": 0.8}
    assert line(row) == ("epoch 2/9, step 6: loss 0.5123, rate 0.001, 2.0 s, 12 images/s")


def test_a_score_that_is_no_number() -> None:
    assert "val mean_iou a nan, b 0.250, rate" in line(
        {"val_a/mean_iou": math.nan, "val_b/mean_iou": 0.25}
    )


def test_clock_time() -> None:
    assert [clock_time(seconds) for seconds in (0.4, 59.6, 3599.7)] == ["0:00", "1:00", "1:00:00"]
