"""Images that a rule chooses, what is drawn of them, and the picture for a talk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.comparisons.arm import Arm
from segmint.comparisons.cell import Answer, CellResult
from segmint.comparisons.plan import Comparison
from segmint.comparisons.table import Column, ComparisonTable
from segmint.comparisons.tabulation import tabulate
from segmint.reports.comparison_examples import ComparisonExample, chosen_images
from segmint.reports.comparison_figure import (
    MOST_COLUMNS,
    choice_told,
    draw_comparison_figure,
    legend_of,
    rank_told,
)
from segmint.reports.comparison_panels import comparison_panels

IOU = Column(name="mean_iou", title="mean IoU")
PALETTE = np.array([[0, 114, 178], [230, 159, 0], [0, 158, 115]], np.uint8)
CLASSES = ("road", "sky", "tree")

Scores = dict[str, list[dict[str, float | None]]]
"""Of each image, for each seed, by label."""


def a_comparison(scores: Scores, column: Column = IOU) -> tuple[ComparisonTable, list[CellResult]]:
    comparison = Comparison(
        out=Path("out"),
        arms=tuple(Arm(label=label, way="recipe", name="unet") for label in scores),
        seeds=tuple(range(len(next(iter(scores.values()))))),
        dataset="camvid",
        root=Path("CamVid"),
        split="test",
        images=tuple(next(iter(scores.values()))[0]),
        scoring="classes",
        columns=(column,),
        settings={},
    )
    cells = [
        CellResult(
            label=label,
            seed=seed,
            answers={
                "": Answer(
                    scores={"mean_iou": 0.5},
                    images={name: {"mean_iou": value} for name, value in images.items()},
                )
            },
        )
        for label, own in scores.items()
        for seed, images in enumerate(own)
    ]
    return tabulate(comparison, cells), cells


def chosen(scores: Scores, **others: Any) -> dict[str, str]:
    table, cells = a_comparison(scores, others.pop("column", IOU))
    return {each.rank: each.name for each in chosen_images(table, cells, **others)}


def test_images_are_ranked_by_the_mean_over_rows_and_seeds() -> None:
    # Means: a .55, b .5, c .2, d .1, e .05.
    one = {"a": 0.9, "b": 0.5, "c": 0.2, "d": 0.0, "e": 0.0}
    other = {"a": 0.2, "b": 0.5, "c": 0.2, "d": 0.2, "e": 0.1}
    scores: Scores = {"unet": [{**one}], "rmi": [{**other}]}
    assert chosen(scores) == {"best": "a", "median": "c", "worst": "e"}
    assert chosen(scores, by="rmi") == {"best": "b", "median": "c", "worst": "e"}


def test_less_may_be_better() -> None:
    lower = Column(name="mean_iou", title="error", better="lower")
    scores: Scores = {"unet": [{"a": 0.3, "b": 0.1, "c": 0.2}]}
    assert chosen(scores, column=lower) == {"best": "b", "median": "c", "worst": "a"}


def test_seeds_count_alike_and_the_first_is_shown() -> None:
    scores: Scores = {"unet": [{"a": 0.9, "b": 0.4, "c": 0.1}, {"a": 0.1, "b": 0.8, "c": 0.1}]}
    table, cells = a_comparison(scores)
    best = chosen_images(table, cells)[0]
    assert (best.name, best.scores) == ("b", {"unet": 0.4})
    assert best.mean == pytest.approx(0.6)  # that of both seeds, by which it is the best


def test_long_names_of_images_keep_their_ends() -> None:
    name, mean = rank_told(
        a_comparison({"unet": [{"street": 0.5}]})[0], an_example(name="a" * 20 + "b" * 20, mean=0.6)
    )
    assert name == "best: " + "a" * 20 + "b" + "…" + "b" * 10
    assert mean == ", mean IoU 0.600 on average"


def test_images_without_a_score_are_passed_over() -> None:
    scores: Scores = {"unet": [{"a": None, "b": 0.4, "c": 0.1}], "rmi": [{"b": 0.3, "c": 0.2}]}
    assert chosen(scores) == {"best": "b", "worst": "c"}


@pytest.mark.parametrize(("count", "ranks"), [(0, []), (1, ["best"]), (2, ["best", "worst"])])
def test_few_images(count: int, ranks: list[str]) -> None:
    scores: Scores = {"unet": [{f"image-{index}": index / 10 for index in range(count)}]}
    assert list(chosen(scores)) == ranks


@given(st.lists(st.floats(0, 1), min_size=3, max_size=9))
def test_as_many_images_are_better_than_the_median_as_are_worse(values: list[float]) -> None:
    scores: Scores = {"unet": [{f"image-{index}": value for index, value in enumerate(values)}]}
    found = {rank: scores["unet"][0][name] or 0.0 for rank, name in chosen(scores).items()}
    assert found["best"] == max(values)
    assert found["worst"] == min(values)
    assert sum(value > found["median"] for value in values) <= (len(values) - 1) // 2
    assert sum(value < found["median"] for value in values) <= len(values) // 2


def an_example(
    rows: tuple[str, ...] = ("unet", "rmi"), *, named: bool = True, **others: Any
) -> ComparisonExample:
    generator = np.random.default_rng(0)
    truth = np.repeat(np.array([[0, 1], [2, 255]], np.uint8), 20, axis=0).repeat(30, axis=1)
    told: dict[str, Any] = {
        "name": "street",
        "image": generator.integers(0, 256, (40, 60, 3), np.uint8),
        "truth": truth,
        "predictions": {row: np.where(truth == 255, 0, truth).astype(np.int32) for row in rows},
        "scores": dict.fromkeys(rows, 0.5),
        "rank": "best",
        "classes": CLASSES if named else (),
        "palette": PALETTE if named else None,
        **others,
    }
    return ComparisonExample(**told)


@pytest.mark.parametrize("named", [True, False])
def test_panels_are_image_truth_and_a_prediction_for_each_row(named: bool) -> None:
    panels = comparison_panels(an_example(named=named))
    assert [panel.title for panel in panels] == ["image", "truth", "unet", "rmi"]
    for panel in panels:
        assert panel.draw((20, 30)).shape == (20, 30, 3)


def test_classes_have_the_colors_of_the_data_set() -> None:
    example = an_example()
    truth, unet = (panel.draw((40, 60)) for panel in comparison_panels(example)[1:3])
    assert truth[0, 0].tolist() == unet[0, 0].tolist() == PALETTE[0].tolist()
    assert unet[39, 0].tolist() == PALETTE[2].tolist()
    assert legend_of([example]) == [
        ("road", "#0072b2"),
        ("sky", "#e69f00"),
        ("tree", "#009e73"),
        ("not counted (striped)", "#d9d9d9"),
    ]


def test_truth_without_classes_is_outlines_alone() -> None:
    example = an_example(named=False, truth=np.arange(2).repeat(30)[np.newaxis].repeat(40, axis=0))
    image, truth, unet = (panel.draw((40, 60)) for panel in comparison_panels(example)[:3])
    assert (image[:, :20] == truth[:, :20]).all()
    assert (image[:, 28:31] != truth[:, 28:31]).any()
    assert (image[:, :20] != unet[:, :20]).any()
    assert not legend_of([example])


def test_sequences_have_a_picture_each() -> None:
    example = an_example(channel_names=("C0", "DE", "T2"))
    titles = [panel.title for panel in comparison_panels(example)]
    assert titles == ["bSSFP", "T2", "LGE", "truth", "unet", "rmi"]


def test_an_image_without_truth_has_no_panel_of_it() -> None:
    titles = [panel.title for panel in comparison_panels(an_example(truth=None))]
    assert titles == ["image", "unet", "rmi"]


@pytest.mark.parametrize(("rows", "named"), [(1, True), (10, False)])
def test_figure_holds_every_panel(rows: int, named: bool) -> None:
    labels = tuple(f"a rather long name of an arm {index}" for index in range(rows))
    table, _ = a_comparison({label: [{"street": 0.5}] for label in labels})
    example = an_example(labels, named=named, name="x" * 200)
    once = draw_comparison_figure(table, [example])
    twice = draw_comparison_figure(table, [example, example])
    panels = rows + 2
    lines = -(-panels // MOST_COLUMNS)
    assert once.dtype == np.uint8
    assert once.shape[1] == twice.shape[1]
    # 2.05 inches a panel at 160 dots, of an image of 2 to 3.
    assert twice.shape[0] - once.shape[0] >= lines * 2.05 * 160 * 2 / 3


def test_caption_says_how_images_were_chosen() -> None:
    table, _ = a_comparison({"unet": [{"street": 0.5}]})
    ranks = ("best", "median", "worst")
    said = choice_told(table, [an_example(rank=rank) for rank in ranks])
    assert said.startswith("The best, median and worst of 1 images by mean IoU")
    assert "not picked by hand" in said
