from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from segmint.comparisons.budget import Budget
from segmint.comparisons.planning import Question, plan
from segmint.datasets import prepare_myops
from segmint.datasets.synthetic import write_hearts
from segmint.errors import InputError, UsageError


def planned(root: Path, *arms: str, **others: Any) -> Any:
    return plan(Question(arms=arms, data=root, out="out", **others))


def test_a_plan_says_what_is_shared_and_on_what_it_is_scored(scenes: Path) -> None:
    found = planned(scenes, "unet", "mutual", budget=Budget(minutes=2), seeds=2, first_seed=5)
    assert found.seeds == (5, 6)
    assert (found.dataset, found.split, found.images) == (
        "folder",
        "test",
        ("test0", "test1", "test2"),
    )
    assert found.same["data"] == "scores of 3 images of test, folder, at native size"
    assert found.same["learning"] == (
        "learned from 6 images of train, weights chosen by mean IoU on 2 images of val"
    )
    assert found.same["budget"].startswith("2 minutes of learning")
    assert [column.name for column in found.columns] == ["mean_iou", "mean_dice", "accuracy"]
    assert not found.is_full


@pytest.mark.parametrize("arms", [("unet",), ("unet", "unet-rmi")])
@pytest.mark.parametrize(
    ("split", "values", "said"),
    [
        ("test", {}, ""),
        ("val", {}, "scored on val, which also chose the weights"),
        ("val", {"data.val_fraction": 0}, ""),
        ("test", {"data.val_split": "test"}, "scored on test, which also chose the weights"),
        ("train", {}, "scored on train, which the networks learned from"),
        ("test", {"data.train_split": "test"}, "scored on test, which the networks learned from"),
    ],
)
def test_scores_that_are_too_good_are_said(
    scenes: Path, arms: tuple[str, ...], split: str, values: dict[str, Any], said: str
) -> None:
    notes = planned(scenes, *arms, split=split, values=values).notes
    assert [note[: len(said)] for note in notes] == ([said] if said else [])


def test_all_cells_share_one_division(scenes: Path, tmp_path: Path) -> None:
    text = (scenes / "pairs.csv").read_text()
    for name in ("images", "masks", "classes.txt"):
        (tmp_path / name).symlink_to(scenes / name)
    (tmp_path / "pairs.csv").write_text(text.replace(",val", ",train").replace(",test", ",train"))
    found = planned(tmp_path, "unet", budget=Budget(steps=1), first_seed=3, seeds=4)
    assert found.split == "val"
    assert found.val_fraction == 0.2
    assert found.settings["unet"]["data"]["val_seed"] == 3
    assert len(found.images) == 2


def test_label_free_arms_on_classes_are_matched(scenes: Path) -> None:
    found = planned(scenes, "blank", "kmeans", "em-gmm")
    assert found.scoring == "segments"
    assert [column.name for column in found.columns] == [
        *("best_overlap_all", "covering", "mean_iou", "mean_dice", "accuracy"),
    ]


def test_mixtures_alone_are_scored_as_mixtures(tmp_path: Path) -> None:
    write_hearts(tmp_path / "hearts", patients=range(101, 104), seed=0)
    prepare_myops(tmp_path / "hearts", tmp_path / "prepared", test_patients="103")
    found = planned(tmp_path / "prepared", "mixtures", budget=Budget(epochs=1), seeds=1)
    assert found.scoring == "mixtures"
    assert len(found.arms) == 10
    assert found.split == "test"
    assert found.settings["em-gmm-means"]["mu_data"].endswith("mu_data.csv")


def test_annotators_have_scores_of_their_own(shared_data: Path) -> None:
    found = planned(shared_data / "BSDS500", "blank", "hybrid", images=2)
    assert [column.name for column in found.columns][:6] == [
        *("best_overlap_all", "best_overlap_fine", "best_overlap_coarse"),
        *("covering", "rand_index", "variation_of_information"),
    ]
    learned = planned(shared_data / "BSDS500", "unet", images=2)
    assert learned.scoring == "classes"


@pytest.mark.parametrize(
    ("arms", "others", "message"),
    [
        (("unet", "kmeans"), {}, "unet learns classes and kmeans finds components"),
        (("unet", "many=recipe:deepg"), {}, "unet learns classes and many finds components"),
        (("kmeans",), {"budget": Budget(epochs=3)}, "no arm is a recipe"),
        (("unet",), {"seeds": 0}, "--seeds is 0"),
        (("unet",), {"first_seed": 2**32 - 1, "seeds": 2}, "ends with seed 4294967296"),
        (("unet",), {"values": {"optimizer.lr": -1}}, r"--set optimizer\.learning_rate is -1"),
        (("unet",), {"values": {"data.val_split": "train"}}, r"pass --set data\.val_fraction=0,"),
        (("unet",), {"jobs": 0}, "--jobs is 0"),
        (("unet",), {"images": 0}, "--images is 0"),
        (("unet",), {"device": "cuda:9"}, "cuda:9"),
        (("unet",), {"first_seed": -1}, "seed is -1"),
        (("unet",), {"dataset": "camvd"}, "did you mean 'camvid'"),
        (("unet",), {"values": {"data.dataset": "camvid"}}, "give --dataset"),
        (("unet",), {"values": {"data.val_fractin": 0.1}}, "did you mean 'val_fraction'"),
    ],
)
def test_what_is_refused(
    scenes: Path, arms: tuple[str, ...], others: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        planned(scenes, *arms, **others)


def test_a_wrong_root_is_refused(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        planned(tmp_path / "absent", "unet")
    with pytest.raises(InputError, match="is not laid out as camvid"):
        planned(scenes, "unet", dataset="camvid")
