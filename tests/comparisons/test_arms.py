from __future__ import annotations

from pathlib import Path

import pytest

from segmint.comparisons.arm import Arm
from segmint.comparisons.arms import is_label_free, parse_arms
from segmint.errors import InputError, UsageError


def test_a_name_is_a_recipe_a_method_or_blank() -> None:
    arms = parse_arms(["unet", "kmeans", "blank"], Path())
    assert [(arm.label, arm.way, arm.name) for arm in arms] == [
        ("unet", "recipe", "unet"),
        ("kmeans", "method", "kmeans"),
        ("blank", "method", "blank"),
    ]


def test_a_name_of_both_is_the_method_unless_it_says_recipe() -> None:
    arms = parse_arms(["clustering", "many=recipe:clustering"], Path())
    assert [(arm.label, arm.way) for arm in arms] == [("clustering", "method"), ("many", "recipe")]
    assert all(map(is_label_free, arms))


def test_label_free_names_the_controls_and_the_methods() -> None:
    labels = [arm.label for arm in parse_arms(["label-free"], Path())]
    assert labels == [
        *("blank", "felzenszwalb", "slic", "kmeans"),
        *("em-gmm", "em-svgmm", "clustering", "hybrid"),
    ]


def test_mixtures_are_ten_rows_which_know_the_means_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "mu_data.csv").write_text("")
    arms = parse_arms(["mixtures"], tmp_path)
    assert len(arms) == 10
    assert [arm.label for arm in arms if arm.way == "recipe"] == ["deepg-many", "deepsvg-many"]
    known = [
        arm.label for arm in arms if "mu_data" in {**arm.values, **arm.values.get("mixture", {})}
    ]
    assert known == [
        *("em-gmm-means", "em-svgmm-means"),
        *("deepg-means", "deepg-many", "deepsvg-means", "deepsvg-many"),
    ]


def test_mixtures_without_means_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mu_data\.csv does not exist"):
        parse_arms(["mixtures"], tmp_path)


def test_arms_of_python_are_taken_as_they_are() -> None:
    arm = Arm(label="five", way="method", name="kmeans", values={"components": 5})
    assert parse_arms([arm, "blank"], Path())[0] is arm


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "no arm was named"),
        (["unett"], "did you mean 'unet'"),
        (["a=recipe:kmeans"], "unknown recipe 'kmeans'"),
        (["unet", "unet"], "two arms are called 'unet'"),
        (["Unet=unet", "unet"], "two arms are called 'unet'"),
        (["../a=unet"], "cannot name a folder"),
        (["=unet"], "cannot name a folder"),
        (["all=study"], "leave it out"),
    ],
)
def test_what_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_arms(texts, Path())
