from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from segmint.comparisons.arm import Arm
from segmint.comparisons.cell import Answer, CellResult
from segmint.comparisons.columns import ANNOTATORS, SEGMENTS
from segmint.comparisons.comparing import Compared
from segmint.comparisons.pairing import FEW_ROWS
from segmint.comparisons.plan import Comparison, Scoring
from segmint.comparisons.table import Column, Pairing
from segmint.comparisons.tabulation import tabulate

IOU = Column(name="mean_iou", title="mean IoU")
ACCURACY = Column(name="accuracy", title="accuracy")
NLL = Column(name="nll", title="NLL", better="lower")
IMAGES = tuple(f"image-{index}" for index in range(8))


def a_comparison(*labels: str, **others: Any) -> Comparison:
    told: dict[str, Any] = {
        "out": Path("out"),
        "arms": tuple(Arm(label=label, way="recipe", name="unet") for label in labels),
        "seeds": (0, 1, 2),
        "dataset": "camvid",
        "root": Path("CamVid"),
        "split": "test",
        "images": IMAGES,
        "scoring": "classes",
        "columns": (IOU, ACCURACY),
        "settings": {label: {"network": {"network": "unet"}} for label in labels},
        **others,
    }
    return Comparison(**told)


def an_answer(value: float, images: Mapping[str, float] | None = None) -> Answer:
    by_image = dict.fromkeys(IMAGES, value) if images is None else images
    return Answer(
        scores={"mean_iou": value, "accuracy": value / 2},
        images={name: {"mean_iou": each} for name, each in by_image.items()},
        classes={"road": {"iou": value, "dice": 1.0}, "sky": {"iou": None, "dice": None}},
    )


def a_cell(label: str, seed: int, value: float, **others: Any) -> CellResult:
    told = {"answers": {"": an_answer(value)}, "seconds": 60.0, "steps": 100, **others}
    return CellResult(label=label, seed=seed, **told)


VALUES = {"unet": (0.50, 0.52, 0.51), "rmi": (0.55, 0.56, 0.59)}
CELLS = [
    a_cell(label, seed, each)
    for label, values in VALUES.items()
    for seed, each in enumerate(values)
]


def test_rows_have_the_order_of_the_arms_whatever_that_of_the_cells() -> None:
    table = tabulate(a_comparison("unet", "rmi"), CELLS[::-1])
    assert [row.title for row in table.rows] == ["unet", "rmi"]
    for row in table.rows:
        assert row.seeds == (0, 1, 2)
        assert row.scores["mean_iou"].values == VALUES[row.label]
        assert row.mean("mean_iou") == pytest.approx(np.mean(VALUES[row.label]))
        assert row.scores["mean_iou"].deviation == pytest.approx(np.std(VALUES[row.label], ddof=1))
    assert table.finished
    assert table.n_images == len(IMAGES)


def test_each_peer_has_a_row_the_one_that_answers_unasked_first() -> None:
    answers = {name: an_answer(0.5) for name in ("ensemble", "unet", "deeplabv3")}
    cells = [CellResult(label="mutual", seed=0, answers=answers), *CELLS[:3]]
    table = tabulate(a_comparison("unet", "mutual"), cells)
    titles = ["unet", "mutual: ensemble", "mutual: unet", "mutual: deeplabv3"]
    assert [row.title for row in table.rows] == titles
    assert table.missing == ("mutual, seed 1", "mutual, seed 2")


def test_columns_are_those_that_some_cell_has() -> None:
    comparison = a_comparison("unet", columns=(IOU, NLL, ACCURACY))
    assert tabulate(comparison, CELLS[:1]).columns == (IOU, ACCURACY)
    assert tabulate(comparison, []).columns == (IOU, NLL, ACCURACY)


def test_failed_and_missing_cells_are_told() -> None:
    failed = CellResult(label="rmi", seed=1, error="the objective is no longer a number")
    strange = [a_cell("other", 0, 0.9), a_cell("unet", 7, 0.9)]
    table = tabulate(a_comparison("unet", "rmi"), [*CELLS[:4], failed, *strange])
    assert table.failures == (failed,)
    assert table.missing == ("rmi, seed 2",)
    assert (table.n_cells, table.n_done) == (6, 5)
    assert table.rows[1].seeds == (0,)
    assert any(note == "Of 3 seeds unet has 3, rmi has 1." for note in table.notes)


def test_before_the_first_cell_there_are_rows_without_scores() -> None:
    table = tabulate(a_comparison("unet", "rmi"), [])
    assert [(row.title, row.seeds, dict(row.scores)) for row in table.rows] == [
        ("unet", (), {}),
        ("rmi", (), {}),
    ]
    assert len(table.missing) == table.n_cells == 6
    assert not table.pairings


def test_an_arm_of_which_every_cell_failed_has_a_row() -> None:
    failures = [CellResult(label="rmi", seed=seed, error="no memory") for seed in range(3)]
    table = tabulate(a_comparison("unet", "rmi"), [*CELLS[:3], *failures])
    assert [row.title for row in table.rows] == ["unet", "rmi"]
    assert not table.pairings
    assert table.finished


def test_a_score_that_one_seed_lacks_keeps_the_others_in_their_place() -> None:
    empty = Answer(scores={"mean_iou": None}, images={})
    cells = [CELLS[0], CellResult(label="unet", seed=1, answers={"": empty}), CELLS[2]]
    row = tabulate(a_comparison("unet"), cells).rows[0]
    assert row.scores["mean_iou"].values == (0.50, None, 0.51)
    assert row.mean("mean_iou") == pytest.approx(0.505)


def test_classes_have_the_score_that_fits() -> None:
    table = tabulate(a_comparison("unet"), CELLS[:3])
    assert table.class_score == "iou"
    assert table.rows[0].classes["road"].values == VALUES["unet"]
    assert table.rows[0].classes["sky"].mean is None
    assert table.columns == (IOU, ACCURACY)


def test_mixtures_have_a_column_for_the_dice_of_each_class() -> None:
    dice = Column(name="mean_dice", title="mean Dice")
    answer = Answer(
        scores={"mean_dice": 0.6, "mean_dice_greedy": 0.5, "nll": 3.5},
        images={},
        classes={"scar": {"dice": 0.4}, "blood pool": {"dice": 0.8}},
    )
    greedy = Column(name="mean_dice_greedy", title="greedy")
    comparison = a_comparison("em", scoring="mixtures", columns=(dice, greedy, NLL))
    table = tabulate(comparison, [CellResult(label="em", seed=0, answers={"": answer})])
    assert [column.title for column in table.columns] == [
        "mean Dice",
        "greedy",
        "Dice scar",
        "Dice blood pool",
        "NLL",
    ]
    assert table.rows[0].mean("dice_scar") == pytest.approx(0.4)
    assert table.class_score == "dice"


def pairing(pairings: tuple[Pairing, ...], over: str) -> Pairing:
    (found,) = [each for each in pairings if each.over == over]
    return found


def test_tests_are_those_of_scipy() -> None:
    generator = np.random.default_rng(0)
    values = {label: generator.random((3, 8)) for label in ("unet", "rmi")}
    cells = []
    for label, table in values.items():
        for seed, row in enumerate(table.tolist()):
            answer = an_answer(statistics.fmean(row), dict(zip(IMAGES, row, strict=True)))
            cells.append(CellResult(label=label, seed=seed, answers={"": answer}))
    found = tabulate(a_comparison("unet", "rmi"), cells).pairings
    first, second = found[0].first, found[0].second
    seeds = [values[label].mean(axis=1) for label in (first, second)]
    images = [values[label].mean(axis=0) for label in (first, second)]
    over_seeds, over_images = pairing(found, "seeds"), pairing(found, "images")
    assert over_seeds.pairs == 3
    assert over_seeds.difference == pytest.approx((seeds[0] - seeds[1]).mean())
    assert over_seeds.p_value == pytest.approx(stats.ttest_rel(*seeds).pvalue)
    assert over_images.pairs == 8
    assert over_images.difference == pytest.approx((images[0] - images[1]).mean())
    assert over_images.p_value == pytest.approx(stats.wilcoxon(*images).pvalue)
    assert over_images.adjusted == over_images.p_value


def test_pairs_are_of_the_seeds_that_both_have() -> None:
    cells = [*CELLS[:2], *CELLS[4:]]
    found = pairing(tabulate(a_comparison("unet", "rmi"), cells).pairings, "seeds")
    assert (found.first, found.second, found.pairs) == ("rmi", "unet", 1)
    assert found.difference == pytest.approx(0.56 - 0.52)
    assert found.p_value is None


def test_one_seed_has_no_test_over_seeds_and_says_so() -> None:
    table = tabulate(a_comparison("unet", "rmi", seeds=(0,)), CELLS)
    assert pairing(table.pairings, "seeds").p_value is None
    assert pairing(table.pairings, "images").p_value is not None
    assert table.rows[0].scores["mean_iou"].deviation is None
    assert any("deviations" in note for note in table.notes)


@pytest.mark.parametrize("rows", [2, FEW_ROWS, FEW_ROWS + 3])
@pytest.mark.parametrize("better", ["higher", "lower"])
def test_pairs_that_are_tested(rows: int, better: str) -> None:
    labels = [f"arm-{index}" for index in range(rows)]
    column = Column(name="mean_iou", title="mean IoU", better=better)  # type: ignore[arg-type]
    values = [0.5 + 0.01 * ((3 * index) % rows) for index in range(rows)]
    cells = [
        a_cell(label, seed, value + 0.001 * seed * index)
        for index, (label, value) in enumerate(zip(labels, values, strict=True))
        for seed in range(3)
    ]
    table = tabulate(a_comparison(*labels, columns=(column,)), cells)
    means = {row.title: row.mean("mean_iou") or 0.0 for row in table.rows}
    best = (max if better == "higher" else min)(means, key=lambda title: means[title])
    told = [(each.first, each.second) for each in table.pairings if each.over == "seeds"]
    every = {frozenset((one, other)) for one in labels for other in labels if one != other}
    wanted = every if rows <= FEW_ROWS else {pair for pair in every if pair & {labels[0], best}}
    assert {frozenset(pair) for pair in told} == wanted
    assert len(told) == len(wanted)
    assert all(best == first for first, second in told if best in (first, second))


def test_correction_is_over_the_pairs_of_each_test() -> None:
    labels = ("unet", "rmi", "mutual")
    generator = np.random.default_rng(1)
    cells = [
        a_cell(label, seed, 0.5 + 0.05 * index + 0.01 * generator.random())
        for index, label in enumerate(labels)
        for seed in range(3)
    ]
    found = tabulate(a_comparison(*labels), cells).pairings
    own = [each for each in found if each.over == "seeds"]
    assert len(own) == 3
    least = min(each.p_value or 0.0 for each in own)
    assert min(each.adjusted or 0.0 for each in own) == pytest.approx(3 * least)


def notes(*labels: str, cells: list[CellResult] | None = None, **others: Any) -> str:
    return " ".join(tabulate(a_comparison(*labels, **others), cells or []).notes)


def test_steps_that_differ_are_said() -> None:
    cells = [a_cell("unet", 0, 0.5), a_cell("rmi", 0, 0.5, steps=80)]
    assert "unet 100, rmi 80" in notes("unet", "rmi", cells=cells)
    assert "steps" not in notes("unet", "rmi", cells=[cells[0]])


def test_missing_controls_are_said_beside_label_free_scores() -> None:
    scoring: Scoring = "segments"
    blank = Arm(label="nothing", way="method", name="blank")
    hybrid = Arm(label="hybrid", way="method", name="hybrid")
    told = notes(arms=(blank, hybrid), scoring=scoring)
    assert "no row felzenszwalb" in told
    assert "no row blank" not in told
    assert "no row" not in notes("unet")


def test_methods_that_do_not_look_at_the_seed_are_said() -> None:
    cells = [a_cell("unet", seed, 0.5) for seed in range(3)]
    assert "unet gives the same scores with every seed" in notes("unet", cells=cells)
    assert "every seed" not in notes("unet", cells=cells[:1])


def test_published_figures_stand_beside_full_data_only() -> None:
    arms = (
        Arm(label="mine", way="recipe", name="unet"),
        Arm(label="ours", way="recipe", name="mutual"),
    )
    answers = {name: an_answer(0.5) for name in ("ensemble", "unet")}
    cells = [a_cell("mine", 0, 0.4), CellResult(label="ours", seed=0, answers=answers)]
    full = {
        "arms": arms,
        "dataset": "voc2012",
        "split": "val",
        "settings": {"mine": {"network": {"network": "unet"}}},
    }
    table = tabulate(a_comparison(**full, is_full=True), cells)
    assert {row.title: dict(row.published) for row in table.rows} == {
        "mine": {"mean_iou": 0.1965, "accuracy": 0.7367},
        "ours: ensemble": {},
        "ours: unet": {"mean_iou": 0.2203, "accuracy": 0.7539},
    }
    assert "Goncalves" in table.published_source
    subset = tabulate(a_comparison(**full), cells)
    assert not any(row.published for row in subset.rows)
    assert not subset.published_source


def test_seconds_are_those_of_all_cells() -> None:
    cells = [a_cell("unet", seed, 0.5, seconds_per_image=0.5) for seed in range(2)]
    assert tabulate(a_comparison("unet"), cells).seconds == pytest.approx(2 * (60 + 8 * 0.5))


def test_scores_after_matching_are_called_so() -> None:
    told: dict[str, Any] = {
        "arms": (Arm(label="kmeans", way="method", name="kmeans"),),
        "scoring": "segments",
    }
    matched = tabulate(a_comparison(**told, columns=SEGMENTS), [a_cell("kmeans", 0, 0.5)])
    assert [column.title for column in matched.columns] == [
        "mean IoU (matched)",
        "accuracy (matched)",
    ]
    said = "labels get their classes from the truth by Hungarian matching, image by image"
    assert any(said in note for note in matched.notes)
    annotated = notes(**told, columns=ANNOTATORS)
    assert "matching" not in annotated


def test_networks_of_one_arm_share_their_costs_and_a_note_says_so() -> None:
    answers = {name: an_answer(0.5) for name in ("ensemble", "unet")}
    cells = [CellResult(label="mutual", seed=0, answers=answers), CELLS[0]]
    said = notes("unet", "mutual", cells=cells)
    assert "The networks of mutual are computed together: seconds and memory are of all" in said
    assert "computed together" not in notes("unet", cells=CELLS[:1])


def test_a_comparison_is_short_to_look_at() -> None:
    compared = Compared(comparison=a_comparison("unet", "rmi"), cells=tuple(CELLS))
    assert repr(compared) == "Compared(unet, rmi on camvid, 6 cells)"
