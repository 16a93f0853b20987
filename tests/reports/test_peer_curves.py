"""Charts of runs whose networks learned from each other."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from segmint.reports.chart import MOST_OTHERS
from segmint.reports.run_curves import learning_charts


def history(*peers: str, solo: bool = False, epochs: int = 3) -> list[dict[str, float]]:
    """What the log of a mutual training holds, with values that tell columns apart."""
    everyone = [*peers, *(f"{name}-solo" for name in peers if solo)]
    ensembles = ["ensemble", *(["ensemble-solo"] if solo else [])]
    rows = []
    for epoch in range(1, epochs + 1):
        row: dict[str, Any] = {"epoch": epoch, "step": epoch, "learning_rate": 0.5, "loss": 9.0}
        for place, name in enumerate(everyone, start=1):
            row[f"{name}/cross_entropy"] = place / epoch
            row[f"val_{name}/loss"] = 2 * place / epoch
        row |= {f"{name}/mutual": 0.1 for name in peers}
        row |= {f"{one}>{other}/divergence": 0.2 for one, other in itertools.permutations(peers, 2)}
        row |= {"agreement": 0.8, "val_agreement": 0.7, "val_gap": 0.05}
        for place, name in enumerate([*everyone, *ensembles], start=1):
            row |= {
                f"val_{name}/{score}": place * epoch / 100
                for score in ("mean_iou", "accuracy", "mean_dice")
            }
        rows.append(row)
    return rows


def test_each_figure_of_all_peers_has_a_chart() -> None:
    charts = {chart.y_title: chart for chart in learning_charts(history("big", "small"))}
    assert {title: chart.names for title, chart in charts.items()} == {
        "loss, sum of all networks": [],
        "cross entropy": ["big", "small"],
        "loss by the others": ["big", "small"],
        "divergence (nats)": ["big to small", "small to big"],
        "agreement": ["training", "validation"],
        "loss (validation)": ["big", "small"],
        "mean IoU (validation)": ["big", "small", "ensemble"],
        "accuracy (validation)": ["big", "small", "ensemble"],
        "mean Dice (validation)": ["big", "small", "ensemble"],
        "gap in mean IoU": [],
        "learning rate": [],
    }
    small = charts["cross entropy"].others[0]
    assert (list(small.x), list(small.y)) == ([1, 2, 3], [2, 1, pytest.approx(2 / 3)])
    assert charts["mean IoU (validation)"].caption == (
        "Best big 0.030 at epoch 3; small 0.060 at epoch 3; ensemble 0.090 at epoch 3."
    )


def test_shares_of_pixels_stand_on_an_axis_from_0_to_1() -> None:
    charts = {chart.y_title: chart for chart in learning_charts(history("big", "small"))}
    marks = [tick.text for tick in charts["agreement"].y_ticks]
    assert (marks[0], marks[-1]) == ("0", "1")


def test_a_peer_and_its_twin_look_alike_in_every_chart() -> None:
    rows = [{**row, "b/rmi": 1.0} for row in history("a", "b", solo=True)]
    charts = {chart.y_title: chart for chart in learning_charts(rows)}
    assert charts["cross entropy"].names == ["a", "b", "a-solo", "b-solo"]
    assert charts["cross entropy"].looks == ["look-1", "look-2", "look-1 thin", "look-2 thin"]
    assert charts["rmi"].looks == ["look-2"]
    scores = charts["mean IoU (validation)"]
    assert dict(zip(scores.names, scores.looks, strict=True)) == {
        "a": "look-1",
        "b": "look-2",
        "ensemble": "look-6",
        "a-solo": "look-1 thin",
        "b-solo": "look-2 thin",
        "ensemble-solo": "look-6 thin",
    }
    assert scores.caption.endswith("Thin: the twins that learned alone.")


def test_where_there_are_many_the_twins_have_charts_of_their_own_on_the_same_axis() -> None:
    names = ["a", "b", "c", "d"]
    charts = {chart.y_title: chart for chart in learning_charts(history(*names, solo=True))}
    together, alone = charts["mean IoU (validation)"], charts["mean IoU (validation), alone"]
    assert together.names == [*names, "ensemble"]
    assert alone.names == [*(f"{name}-solo" for name in names), "ensemble-solo"]
    assert [look.removesuffix(" thin") for look in alone.looks] == together.looks
    assert [tick.text for tick in together.y_ticks] == [tick.text for tick in alone.y_ticks]


@pytest.mark.parametrize("peers", [3, 4, 5, 7, 9])
@pytest.mark.parametrize("solo", [False, True])
def test_more_than_a_chart_has_room_for_are_shared_out(peers: int, solo: bool) -> None:
    names = [f"p{number}" for number in range(peers)]
    rows = history(*names, solo=solo)
    charts = learning_charts(rows)
    curves = [name for chart in charts for name in chart.names]
    assert all(len(chart.names) <= MOST_OTHERS + 1 for chart in charts)
    for figure in ("mean IoU (validation)", "accuracy (validation)", "mean Dice (validation)"):
        shown = [
            [name for name in chart.names if not name.endswith("-solo")]
            for chart in charts
            if chart.y_title == figure
        ]
        assert [name for each in shown for name in each[:-1]] == names
        assert {each[-1] for each in shown} == {"ensemble"}
    assert sum(" to " in name for name in curves) == peers * (peers - 1)
    # A lone curve would be named nowhere.
    unnamed = [chart.y_title for chart in charts if not chart.names]
    assert unnamed == ["loss, sum of all networks", "gap in mean IoU", "learning rate"]


def test_a_term_of_one_network_is_said_to_be_its_own() -> None:
    rows = [{**row, "small/rmi": 1.0} for row in history("big", "small")]
    (chart,) = (chart for chart in learning_charts(rows) if chart.y_title == "rmi")
    assert chart.caption.startswith("Of small. ")


def test_a_training_without_validation_has_the_other_charts() -> None:
    rows = [
        {name: value for name, value in row.items() if not name.startswith("val_")}
        for row in history("big", "small")
    ]
    titles = [chart.y_title for chart in learning_charts(rows)]
    assert "agreement" in titles
    assert not [title for title in titles if "validation" in title or "gap" in title]
