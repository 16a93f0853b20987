from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from segmint.comparisons.arm_settings import SHARED_SECTIONS, settle_arms
from segmint.comparisons.arms import parse_arms
from segmint.comparisons.assigned import sort_out
from segmint.comparisons.budget import Budget
from segmint.comparisons.differences import differences, shared_words
from segmint.comparisons.reach import reach_notes
from segmint.errors import UsageError
from segmint.recipes import recipes

DATA = {"dataset": "camvid"}


def settled(*texts: str, budget: Budget | None = None, **values: Any) -> dict[str, Any]:
    arms = parse_arms(texts, Path())
    given = {
        name.replace("__", ".").replace("_of_", ":", 1): value for name, value in values.items()
    }
    return settle_arms(arms, sort_out(given, arms), budget or Budget(), DATA)


def test_recipes_share_the_sections_of_the_first() -> None:
    found = settled("isbi-unet", "unet-rmi", "mutual")
    first = recipes.load("isbi-unet").defaults["transform"]
    for label, own in found.items():
        for section in SHARED_SECTIONS:
            assert own[section] == found["isbi-unet"][section], (label, section)
    assert {name: found["mutual"]["transform"][name] for name in first} == dict(first)


def test_what_a_recipe_is_about_stays_its_own() -> None:
    found = settled("unet", "unet-rmi", "mutual")
    assert found["unet"]["loss"]["objective"] == "cross_entropy"
    assert "rmi" in found["unet-rmi"]["loss"]["objective"]
    assert found["mutual"]["peers"]["peers"] == ["smp:deeplabv3/resnet50", "unet"]


def test_set_is_for_all_that_have_the_section() -> None:
    found = settled("unet", "mutual", network__features=16, optimizer__lr=0.5)
    assert found["unet"]["network"]["features"] == 16
    assert [own["optimizer"]["learning_rate"] for own in found.values()] == [0.5, 0.5]


def test_options_with_a_label_are_of_one_arm() -> None:
    arms = ("unet", "wide=unet")
    found = settled(*arms, wide_of_features=64, optimizer__lr=0.5, wide_of_lr=0.25)
    assert [own["network"]["features"] for own in found.values()] == [None, 64]
    assert [own["optimizer"]["learning_rate"] for own in found.values()] == [0.5, 0.25]


def test_a_preset_is_of_one_arm() -> None:
    found = settled("unet", "published=unet", published_of_preset="study")
    assert found["published"]["transform"]["augmentation"] == "none"
    assert found["unet"]["transform"]["augmentation"] == "strong"


def test_methods_take_the_options_they_have() -> None:
    found = settled(
        "kmeans", "felzenszwalb", "blank", "five=kmeans", components=3, five_of_components=5
    )
    assert found["kmeans"]["components"] == 3
    assert found["five"]["components"] == 5
    assert "components" not in found["felzenszwalb"]
    assert found["blank"] == {}


def test_what_a_group_says_of_an_arm_goes_before_options_for_all(tmp_path: Path) -> None:
    (tmp_path / "mu_data.csv").write_text("")
    arms = parse_arms(["mixtures"], tmp_path)
    given = {
        "components": 4,
        "deepg-means:lam": 2.0,
        "deepg-many:mixture.lam": 3.0,
        "max_epochs": 7,
    }
    found = settle_arms(arms, sort_out(given, arms), Budget(epochs=2), DATA)
    assert found["deepg-free"]["lam"] == 0
    assert found["deepg-means"]["lam"] == 2
    assert found["deepsvg-means"]["lam"] == 1
    assert found["deepg-many"]["mixture"]["lam"] == 3
    assert found["deepsvg-many"]["mixture"]["lam"] == 1
    assert found["deepg-free"]["max_epochs"] == 7
    assert found["deepg-many"]["mixture"]["max_epochs"] == 2


def test_a_budget_is_the_same_for_all() -> None:
    seconds = {own["training"]["max_time"] for own in settled("unet", "mutual").values()}
    assert seconds == {600.0}
    minutes = settled("unet", "many=recipe:clustering", budget=Budget(minutes=2))
    assert {own["training"]["max_time"] for own in minutes.values()} == {120.0}
    epochs = settled("unet", "many=recipe:clustering", budget=Budget(epochs=3))
    assert epochs["unet"]["training"]["epochs"] == epochs["many"]["clustering"]["epochs"] == 3
    assert epochs["unet"]["training"]["max_time"] is None
    assert settled("unet", training__epochs=4)["unet"]["training"]["max_time"] is None


@pytest.mark.parametrize(
    ("texts", "values", "message"),
    [
        (("unet",), {"optimzer__lr": 1}, r"did you mean 'optimizer\.lr'\?$"),
        (("kmeans",), {"compnents": 1}, "did you mean 'components'"),
        (("felzenszwalb",), {"components": 1}, "takes the option 'components': leave it out$"),
        (("blank",), {"components": 1}, "takes the option 'components': leave it out$"),
        (("unet", "b=unet"), {"b_of_data__train_split": "test"}, "arms share their data"),
        (("unet", "b=mutual"), {"b_of_val_split": "test"}, "arms share their data"),
        (("unet",), {"wide_of_features": 64}, "is of no arm"),
        (("unet",), {"preset": "study"}, "write LABEL:preset=study"),
        (("unet",), {"unet_of_preset": "stdy"}, "did you mean 'study'"),
        (("unet",), {"unet_of_feature": 1}, "did you mean 'features'"),
        (("unet",), {"optimizer__lr": -1}, "--learning-rate is -1"),
        (("blank",), {"blank_of_components": 1}, "has no options"),
    ],
)
def test_what_is_refused(texts: tuple[str, ...], values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        settled(*texts, **values)


def test_budgets_that_are_refused() -> None:
    with pytest.raises(UsageError, match="--budget-minutes and --epochs both"):
        Budget(minutes=1, epochs=2)
    with pytest.raises(UsageError, match=r"--epochs and --set training\.steps both"):
        settled("unet", budget=Budget(epochs=2), training__steps=5)
    with pytest.raises(UsageError, match="learns by epochs, not by steps"):
        settled("many=recipe:deepg", budget=Budget(steps=2))


def test_every_difference_is_listed_and_nothing_else() -> None:
    arms = parse_arms(["unet", "unet-rmi", "mutual"], Path())
    found = settle_arms(arms, sort_out({"unet-rmi:lr": 0.5}, arms), Budget(steps=5), DATA)
    listed = {each.option: each.values for each in differences(arms, found)}
    assert listed["optimizer.learning_rate"] == {
        "unet": "0.001",
        "unet-rmi": "0.5",
        "mutual": "0.001",
    }
    assert listed["loss.objective"]["unet-rmi"] == "0.5*bce + 0.5*rmi"
    assert listed["peers.peers"] == {"mutual": "smp:deeplabv3/resnet50 unet"}
    assert set(listed) == {
        *("optimizer.learning_rate", "loss.objective", "peers.peers", "network.network"),
    }
    words = shared_words(arms, found)
    assert words["budget"] == "5 steps"
    assert words["augmentation"] == "strong"
    assert "optimizer" not in words


def test_methods_of_different_names_have_nothing_to_differ_in() -> None:
    arms = parse_arms(["kmeans", "hybrid", "more=kmeans"], Path())
    found = settle_arms(arms, sort_out({"more:components": 9}, arms), Budget(), {})
    assert [each.option for each in differences(arms, found)] == ["components"]


def listed(*texts: str, root: Path = Path(), **values: Any) -> dict[str, dict[str, str]]:
    arms = parse_arms(texts, root)
    given = {name.replace("__", ".").replace("_of_", ":", 1): each for name, each in values.items()}
    found = settle_arms(arms, sort_out(given, arms), Budget(), DATA)
    return {each.option: dict(each.values) for each in differences(arms, found)}


def test_an_option_that_some_arms_lack_is_listed_unless_it_has_its_default() -> None:
    found = listed("study", network__features=8)
    assert found["network.features"] == {"unet": "8", "unet-rmi": "8"}
    assert "network.levels" not in found
    peers = listed("study", mutual_of_peers__peer_options=["unet.features=8"])
    assert peers["peers.peer_options"] == {"mutual": "unet.features=8"}


def test_one_row_tells_an_option_of_all_mixtures(tmp_path: Path) -> None:
    (tmp_path / "mu_data.csv").write_text("1\n")
    found = listed("mixtures", root=tmp_path)
    assert len(found["mu_data"]) == 10
    assert found["mu_data"]["deepg-many"] == str(tmp_path / "mu_data.csv")
    assert found["mu_data"]["em-gmm-random"] == "-"
    assert found["lam"]["deepsvg-free"] == "0.0"
    assert len(found["lam"]) == 6


def reach(*texts: str, **values: Any) -> list[str]:
    arms = parse_arms(texts, Path())
    given = {name.replace("__", ".").replace("_of_", ":", 1): each for name, each in values.items()}
    shared = sort_out(given, arms).shared
    return list(reach_notes(arms, shared, settle_arms(arms, sort_out(given, arms), Budget(), DATA)))


def test_an_option_for_all_that_reaches_some_is_said() -> None:
    assert reach("study", network__features=8, optimizer__lr=0.5) == [
        "the option network.features=8 is of unet and unet-rmi; mutual has no such option "
        "(its peers take it by mutual:peers.peer_options=[unet.features=8])"
    ]
    assert not reach("unet", "unet-rmi", network__features=8, data__val_fraction=0.5)
    given = ["unet.features=8"]
    assert not reach("study", network__features=8, mutual_of_peers__peer_options=given)


def test_blank_is_not_told_that_it_has_no_options() -> None:
    (told,) = reach("blank", "slic", "kmeans", components=5)
    assert told == "the option components=5 is of kmeans; slic has no such option"


def test_arms_that_find_components_say_what_they_looked_at() -> None:
    arms = parse_arms(["blank", "deepg", "many=recipe:deepg"], Path())
    found = settle_arms(arms, sort_out({}, arms), Budget(minutes=5), {})
    epochs = found["many"]["mixture"]["max_epochs"]
    assert shared_words(arms, found) == {
        "learning": "methods fit each image by itself, without its truth; many learned from the "
        f"images of train, 5 minutes of learning, or {epochs} epochs where these end sooner"
    }
