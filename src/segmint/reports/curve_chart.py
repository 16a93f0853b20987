"""Curves by name as one chart of the page."""

from __future__ import annotations

from collections.abc import Sequence

from segmint.reports.chart import Chart, Curve


def curve_chart(
    curves: Sequence[Curve],
    time: str,
    title: str,
    *,
    caption: str = "",
    from_zero: bool = True,
    holds: tuple[float, ...] = (),
) -> Chart:
    """Curves on the same axes, which the chart says in words, too.

    Args:
        curves: at least one.
        time: what the horizontal axis counts.
        title: of the vertical axis.
        caption: under the chart.
        from_zero: whether the vertical axis holds 0.
        holds: what else it holds.
    """
    first, *others = curves
    told = "; ".join(f"{curve.name} from {curve.y[0]:.4g} to {curve.y[-1]:.4g}" for curve in curves)
    return Chart(
        x=first.x,
        y=first.y,
        x_title=time,
        y_title=title,
        alt=f"Curves of {title} by {time}: {told}.",
        caption=caption,
        from_zero=from_zero,
        name=first.name,
        style=first.style,
        thin=first.thin,
        others=tuple(others),
        holds=holds,
    )


def best_point(curve: Curve, time: str) -> str:
    """The greatest value of a curve and where it is, as captions say it.

    Example:
        >>> best_point(Curve(name="mean IoU", x=[1, 2], y=[0.5, 0.25]), "epoch")
        'mean IoU 0.500 at epoch 1'
    """
    best = max(range(len(curve.y)), key=lambda index: curve.y[index])
    return f"{curve.name} {curve.y[best]:.3f} at {time} {curve.x[best]:g}"
