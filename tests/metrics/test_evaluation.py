from __future__ import annotations

import csv
import io
import json
import math
import pickle

import numpy as np
import pytest

from segmint import metrics
from segmint.errors import InputError, UsageError
from segmint.images.masks import read_masks
from segmint.metrics import aggregate, evaluate, evaluate_many

REFERENCE_DIGITS = 5e-5


def values(scores):
    return {row.name: row.value for row in scores.rows()}


def protocols(scores):
    return {row.name: row.protocol for row in scores.rows()}


def random_image(seed, shape=(30, 40), annotators=1):
    rng = np.random.default_rng(seed)
    masks = [
        rng.integers(0, 4, shape) // 2 * 3 + (rng.random(shape) > 0.9) for _ in range(annotators)
    ]
    masks[0][:2] = 255
    return rng.integers(0, 5, shape), masks


def test_image_scores_are_those_of_the_single_functions():
    labels, masks = random_image(0, annotators=3)
    pieces = metrics.relabel_components(labels)
    found = values(evaluate(labels, masks))
    for suffix, array in (("", pieces), ("_as_given", labels)):
        for name in ("covering", "rand_index", "adjusted_rand_index", "variation_of_information"):
            assert found[name + suffix] == pytest.approx(getattr(metrics, name)(array, masks))
        for which in ("all", "fine", "coarse"):
            expected = metrics.best_overlap(array, masks, annotators=which, relabel=False)
            assert found[f"best_overlap_{which}{suffix}"] == pytest.approx(expected)
    assert "mean_iou" not in found


def test_set_means_are_flat_over_segments_and_plain_over_images():
    images = [(f"{seed}", *random_image(seed, (10 + seed, 20), 2)) for seed in range(3)]
    table = evaluate_many(images)
    overlaps = [
        metrics.contingency(labels, mask).best_intersection_over_union
        for _, labels, masks in images
        for mask in masks
    ]
    found = values(table)
    assert found["best_overlap_all_as_given"] == pytest.approx(np.concatenate(overlaps).mean())
    each = [metrics.rand_index(labels, masks) for _, labels, masks in images]
    assert found["rand_index_as_given"] == pytest.approx(np.mean(each))
    said = protocols(table)
    assert said["best_overlap_fine"] == (
        "best-overlap mIoU over the annotator with most segments, components relabelled "
        "(4-neighbors), flat mean over 12 segments of 3 images"
    )
    assert "probabilistic Rand index (PRI), labels as given" in said["rand_index_as_given"]
    assert any("several annotators" in note for note in table.notes)


@pytest.mark.parametrize("matching", metrics.MATCHINGS)
def test_matched_scores_are_of_one_confusion_matrix(matching):
    images = [(f"{seed}", *random_image(seed)) for seed in range(3)]
    table = evaluate_many(images, matching=matching)
    tables = [metrics.contingency(labels, masks[0]) for _, labels, masks in images]
    from segmint.metrics.matching import match_tables

    true, predicted = [], []
    for (_, labels, masks), names in zip(images, match_tables(tables, matching), strict=True):
        counted = masks[0] != 255
        true += masks[0][counted].tolist()
        predicted += [names.get(label, -1) for label in labels[counted].tolist()]
    true, predicted = np.array(true), np.array(predicted)
    classes = sorted({*true.tolist(), *predicted.tolist()} - {-1})
    ious = [
        ((true == value) & (predicted == value)).sum()
        / ((true == value) | (predicted == value)).sum()
        for value in classes
    ]
    found = values(table)
    assert found["accuracy"] == pytest.approx((true == predicted).mean())
    assert found["mean_iou"] == pytest.approx(np.mean(ious))
    assert f"matching {matching}: " in protocols(table)["mean_dice"]
    assert (
        f"mean over {len(classes)} classes, one confusion matrix over 3 images"
        in (protocols(table)["mean_iou"])
    )


def test_image_rows_use_the_matching_of_the_set():
    mask = np.array([[0, 0, 0, 1]])
    pairs = [("a", mask, mask), ("b", 1 - mask[:, 2:], mask[:, 2:])]
    assert [row["accuracy"] for row in evaluate_many(pairs).image_rows()] == [1.0, 1.0]
    rows = evaluate_many(pairs, matching="hungarian-set").image_rows()
    assert [row["accuracy"] for row in rows] == [1.0, 0.0]


def test_permuted_labels_score_the_same():
    labels, masks = random_image(4)
    renamed = np.array([3, 0, 4, 1, 2])[labels]
    assert values(evaluate(renamed, masks)) == pytest.approx(values(evaluate(labels, masks)))


@pytest.mark.parametrize(
    ("relabel", "endings"), [(True, [False]), (False, [True]), ("both", [0, 1])]
)
def test_relabel_decides_which_region_scores_there_are(relabel, endings):
    found = values(evaluate(*random_image(0), relabel=relabel))
    assert sorted({name.endswith("_as_given") for name in found if "rand" in name}) == endings


def test_stack_is_relabelled_with_six_neighbors():
    stack = np.zeros((2, 3, 3), int)
    stack[:, 1, 1] = 1
    scores = evaluate(stack, stack)
    assert values(scores)["best_overlap_all"] == 1.0
    assert "(6-neighbors)" in protocols(scores)["best_overlap_all"]


def test_image_without_counted_pixels_is_left_out_and_named():
    labels, masks = random_image(0)
    table = evaluate_many([("a", labels, masks), ("empty", labels, np.full_like(labels, 255))])
    alone = evaluate_many([("a", labels, masks)])
    assert values(table) == pytest.approx(values(alone))
    assert "mean over 1 image" in protocols(table)["covering"]
    assert any("empty" in note for note in table.notes)
    blank = evaluate(labels, np.full_like(labels, 255))
    assert all(math.isnan(value) for value in values(blank).values())
    assert all(row["value"] is None for row in blank.as_dict()["scores"])


@pytest.mark.parametrize("mask", [[[0, 255]], [[3, 255, 300]]])
def test_ignored_value_that_may_be_a_class_is_pointed_out(mask):
    labels = np.zeros_like(mask)
    assert "ignore_index=None" in evaluate(labels, np.array(mask)).notes[0]
    assert evaluate(labels, np.array(mask), ignore_index=None).notes == ()
    assert evaluate([[0, 0, 0]], [[0, 12, 255]]).notes == ()


def test_pixels_outside_the_region_are_said() -> None:
    notes = evaluate([[0, 0, -1, 1]], [[0, 0, 1, 1]]).notes
    assert notes == ("25.0% of the pixels lie outside the region and are not counted",)


def test_data_are_plain_json_and_rows_fit_one_csv_file():
    images = [("a", *random_image(0)), ("b", *random_image(1, annotators=2))]
    for table in (evaluate_many(images), evaluate_many(images[:1], classes=9)):
        assert json.loads(json.dumps(table.as_dict(), allow_nan=False)) == table.as_dict()
        rows = table.image_rows()
        writer = csv.DictWriter(io.StringIO(), fieldnames=["image", *values(table)])
        writer.writerows(rows)
    json.dumps(evaluate(*random_image(0)).as_dict(), allow_nan=False)


def test_classes_absent_everywhere_are_left_out_of_the_mean():
    labels = np.array([[0, 1, 1]])
    table = evaluate_many([("a", labels, labels)], classes=4, matching="none")
    assert values(table)["mean_iou"] == 1.0
    assert "mean over 2 classes" in protocols(table)["mean_iou"]
    assert [row["iou"] for row in table.as_dict()["classes"]] == [1.0, 1.0, None, None]


def test_scores_travel_between_processes():
    scores = [evaluate(*random_image(seed), name=str(seed)) for seed in range(2)]
    sent = pickle.loads(pickle.dumps(scores))  # noqa: S301
    assert values(aggregate(sent)) == values(aggregate(scores))


def test_unfit_input_is_refused_with_the_name_and_both_sizes():
    with pytest.raises(InputError, match=r"labels of cat are 2 x 3 and the mask is 4 x 5"):
        evaluate(np.zeros((2, 3), int), np.zeros((4, 5), int), name="cat")
    with pytest.raises(InputError, match="no image"):
        evaluate_many([])
    with pytest.raises(InputError, match="mask of cat holds label 7"):
        evaluate_many([("cat", np.zeros((1, 1), int), np.full((1, 1), 7))], classes=2)
    with pytest.raises(UsageError, match="relabel"):
        evaluate([[0]], [[0]], relabel="yes")
    with pytest.raises(UsageError, match="matching"):
        evaluate([[0]], [[0]], matching="best")


@pytest.fixture(scope="module")
def berkeley(shared_data):
    """Name, photo and annotations of the 20 BSDS500 test images at hand, and their known scores."""
    from PIL import Image

    known = json.loads((shared_data.parent / "reference" / "values.json").read_text())
    root = shared_data / "BSDS500" / "data"
    images = [
        (
            path.stem,
            np.asarray(Image.open(root / "images" / "test" / f"{path.stem}.jpg")),
            read_masks(path),
        )
        for path in sorted((root / "groundTruth" / "test").glob("*.mat"))
    ]
    return images, known["bsds_shared_test_20"]


def known_scores(expected):
    names = {
        "all": "best_overlap_all",
        "fine": "best_overlap_fine",
        "coarse": "best_overlap_coarse",
        "pri": "rand_index",
        "voi": "variation_of_information",
        "covering": "covering",
    }
    return {names[name]: value for name, value in expected.items()}


@pytest.mark.shared_data
def test_blank_prediction_on_berkeley_images(berkeley):
    images, known = berkeley
    table = evaluate_many(
        (name, np.zeros(photo.shape[:2], np.uint8), masks) for name, photo, masks in images
    )
    found = values(table)
    for name, expected in known_scores(known["blank"]).items():
        assert found[name] == pytest.approx(expected, abs=REFERENCE_DIGITS), name
    assert "20 images" in protocols(table)["covering"]


@pytest.mark.shared_data
def test_felzenszwalb_on_berkeley_images(berkeley):
    from skimage.segmentation import felzenszwalb

    images, known = berkeley
    table = evaluate_many(
        (name, felzenszwalb(photo, scale=300, sigma=0.8, min_size=20), masks)
        for name, photo, masks in images
    )
    found = values(table)
    (key,) = [key for key in known if key.startswith("felzenszwalb")]
    for name, expected in known_scores(known[key]).items():
        assert found[name] == pytest.approx(expected, abs=3e-4), name
