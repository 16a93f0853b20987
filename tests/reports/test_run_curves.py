from __future__ import annotations

import math

import numpy as np
import pytest

from segmint.errors import InputError
from segmint.reports.chart import MOST_OTHERS, Chart, Curve
from segmint.reports.page import Page, Section, render
from segmint.reports.run_curves import learning_charts

ROWS = [
    {
        "epoch": epoch,
        "step": 3 * epoch,
        "learning_rate": 2e-4 / epoch,
        "loss": 3 / epoch,
        "bce": 2 / epoch,
        "rmi": 1 / epoch,
        **({"val_loss": 4 / epoch, "val_mean_iou": 0.1 * epoch} if epoch % 2 else {}),
    }
    for epoch in (1, 2, 3)
]


def test_everything_that_was_written_down_has_a_curve() -> None:
    loss, terms, scores, rate = learning_charts(ROWS)
    assert (loss.y_title, loss.names) == ("loss", ["training", "validation"])
    assert list(loss.x) == [1, 2, 3]
    assert list(loss.y) == [3, 1.5, 1]
    assert (list(loss.others[0].x), list(loss.others[0].y)) == ([1, 3], [4, pytest.approx(4 / 3)])
    assert terms.names == ["bce", "rmi"]
    assert scores.caption == "Best mean IoU 0.300 at epoch 3."
    assert rate.y_title == "learning rate (1e-4)"
    assert list(rate.y) == pytest.approx([2, 1, 2 / 3])


def test_one_term_alone_is_the_loss_itself() -> None:
    rows = [{"epoch": 1, "step": 1, "learning_rate": 1e-3, "loss": 2.0, "bce": 2.0}]
    assert [chart.y_title for chart in learning_charts(rows)] == ["loss", "learning rate (1e-3)"]


def test_many_terms_take_several_charts() -> None:
    rows = [{"epoch": 1, "loss": 9.0, **{f"term{number}": 1.0 for number in range(6)}}]
    charts = learning_charts(rows)
    assert [chart.names for chart in charts[1:]] == [
        ["term0", "term1", "term2", "term3"],
        ["term4", "term5"],
    ]


def test_other_scores_of_the_validation_stand_alone() -> None:
    rows = [{"epoch": 1, "loss": 2.0, "val_components": 9.0, "learning_rate": 0.1}]
    loss, components, rate = learning_charts(rows)
    assert loss.names == []
    assert components.y_title == "components (validation)"
    assert (rate.y_title, list(rate.y)) == ("learning rate", [0.1])


def test_what_is_no_number_is_left_out() -> None:
    rows = [
        {"iteration": 1, "objective": None, "nll": math.nan},
        {"iteration": 2, "objective": 1.5, "nll": 0.5},
    ]
    loss, nll = learning_charts(rows)
    assert (list(loss.x), list(loss.y)) == ([2], [1.5])
    assert nll.x_title == "iteration"
    assert "nats" in nll.y_title


@pytest.mark.parametrize("rows", [[], [{}], [{"loss": 1.0}]])
def test_without_a_count_there_is_no_chart(rows: list[dict[str, float]]) -> None:
    assert learning_charts(rows) == ()


def test_several_curves_share_their_axes_and_are_named_on_the_page() -> None:
    other = Curve(name="validation", x=[2, 8], y=[1, 30])
    chart = Chart(
        x=[1, 4],
        y=[5, 2],
        x_title="epoch",
        y_title="loss",
        alt="a",
        name="training",
        others=(other,),
    )
    points = [*chart.points, *chart.other_points[0]]
    assert all(50 <= x <= 344 and 14 <= y <= 166 for x, y in points)
    across = dict(zip([1, 4, 2, 8], (x for x, _ in points), strict=True))
    assert across[4] - across[1] == pytest.approx(3 / 7 * (across[8] - across[1]), abs=0.2)
    assert [tick.text for tick in chart.x_ticks] == ["2", "4", "6", "8"]
    text = render(Page(title="t", lead="", sections=(Section(title="s", charts=(chart,)),)))
    assert text.count("look-2") == 3  # its style, its line, and its sign in the legend
    assert ">training</li>" in text
    assert ">validation</li>" in text


def test_more_curves_than_can_be_told_apart_are_refused() -> None:
    curve = Curve(name="c", x=[1], y=[1])
    with pytest.raises(InputError, match="further curves"):
        Chart(x=[1], y=[1], x_title="x", y_title="y", alt="a", others=(curve,) * (MOST_OTHERS + 1))
    with pytest.raises(InputError, match="needed is the same number"):
        Curve(name="c", x=[1, 2], y=[1])


def test_whole_numbers_have_whole_ticks() -> None:
    chart = Chart(x=[1, 2], y=[1, 2], x_title="epoch", y_title="y", alt="a")
    assert [tick.text for tick in chart.x_ticks] == ["1", "2"]


def test_a_long_history_keeps_its_ends_and_its_best() -> None:
    generator = np.random.default_rng(0)
    scores = generator.uniform(0, 0.5, 10_001)
    scores[[0, 777, -1]] = (0.4, 0.9, 0.45)
    rows = [
        {"epoch": index + 1.0, "val_mean_iou": float(value)} for index, value in enumerate(scores)
    ]
    (chart,) = learning_charts(rows)
    assert len(chart.x) <= 502
    assert (chart.x[0], chart.x[-1], chart.y[-1]) == (1, 10_001, 0.45)
    assert "mean IoU 0.900 at epoch 778" in chart.caption
    assert min(chart.y) == scores.min()
