from __future__ import annotations

from typing import Any

import pytest

from segmint.comparisons.arm import BLANK, Arm, Way
from segmint.comparisons.published import (
    FIGURES,
    FULL_SPLITS,
    is_full,
    published_for,
    sources_of,
)

UNET = {"network": {"network": "unet"}}
OVERLAPS = ("best_overlap_all", "best_overlap_fine", "best_overlap_coarse")


def scores(
    name: str,
    dataset: str,
    split: str,
    settings: dict[str, Any],
    *,
    way: Way = "recipe",
    answer: str = "",
) -> tuple[float, ...]:
    arm = Arm(label="mine", way=way, name=name)
    found = published_for(arm, settings, dataset=dataset, split=split)
    return tuple(found[answer].scores.values()) if answer in found else ()


@pytest.mark.parametrize(
    ("dataset", "name", "expected"),
    [
        # Mean IoU and accuracy of the study's Table 1.
        ("cityscapes", "unet", (0.5931, 0.9388)),
        ("cityscapes", "unet-rmi", (0.5244, 0.9345)),
        ("voc2012", "unet", (0.1965, 0.7367)),
        ("voc2012", "unet-rmi", (0.0607, 0.6893)),
    ],
)
def test_study(dataset: str, name: str, expected: tuple[float, ...]) -> None:
    assert scores(name, dataset, "val", UNET) == expected


@pytest.mark.parametrize(
    ("dataset", "expected"), [("cityscapes", (0.5619, 0.9342)), ("voc2012", (0.2203, 0.7539))]
)
def test_study_tells_mutual_learning_by_its_unet(dataset: str, expected: tuple[float, ...]) -> None:
    assert scores("mutual", dataset, "val", {}, answer="unet") == expected
    assert not scores("mutual", dataset, "val", {})
    assert not scores("mutual", dataset, "val", {}, answer="ensemble")


def test_another_network_has_no_published_figure() -> None:
    settings = {"network": {"network": "smp:fpn/resnet18"}}
    assert not scores("unet", "voc2012", "val", settings)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        (BLANK, {}, (0.0458, 0.0249, 0.1001)),
        ("felzenszwalb", {"scale": 100.0}, (0.3135, 0.2951, 0.3255)),
        ("felzenszwalb", {"scale": 500}, (0.2768, 0.2238, 0.3659)),
        ("felzenszwalb", {"scale": 300.0}, ()),
    ],
)
def test_best_overlap(name: str, settings: dict[str, Any], expected: tuple[float, ...]) -> None:
    assert scores(name, "bsds500", "test", settings, way="method") == expected
    assert not scores(name, "bsds500", "val", settings, way="method")


def test_clustering_is_that_of_the_paper_only_with_its_settings() -> None:
    from segmint.methods.clustering import METHOD

    paper = METHOD.options(**METHOD.presets["kim2020"]).resolved()
    expected = (0.3050, 0.2592, 0.3739)
    assert scores("clustering", "bsds500", "test", paper, way="method") == expected
    assert not scores("clustering", "bsds500", "test", METHOD.options().resolved(), way="method")


def test_challenge() -> None:
    found = published_for(
        Arm(label="mine", way="recipe", name="isbi-unet"), {}, dataset="isbi2012", split="test"
    )
    expected = {"warping_error": 0.000353, "rand_error": 0.0382, "pixel_error": 0.0611}
    assert found[""].scores == expected


def test_every_figure_is_of_a_split_whose_size_is_known() -> None:
    assert {(each.dataset, each.split) for each in FIGURES} <= FULL_SPLITS.keys()


@pytest.mark.parametrize(
    ("dataset", "split", "images", "expected"),
    [
        ("voc2012", "val", 1449, True),
        ("voc2012", "train", 1464, False),
        ("cityscapes", "val", 500, True),
        ("ade20k", "val", 2000, True),
        ("bsds500", "test", 200, True),
        ("bsds500", "test", 20, False),
        ("isbi2012", "test", 30, True),
        ("folder", "val", 500, False),
    ],
)
def test_full_splits(dataset: str, split: str, images: int, expected: bool) -> None:
    assert is_full(dataset, split, images) is expected


def test_each_source_is_told_once() -> None:
    study = [each for each in FIGURES if each.dataset == "voc2012"]
    assert sources_of(study).count("Goncalves") == 1
    assert "random crops" in sources_of(study)
    assert not sources_of([])
