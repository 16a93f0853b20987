from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.images import read_labels

CLUSTERING = (
    "--method",
    "clustering",
    *("--features", "8", "--max-components", "8", "--iterations", "3"),
    *("--working-pixels", "0", "--superpixel-scale", "0"),
)


@pytest.fixture(params=["hybrid", "clustering"])
def result(request, here, succeeds):
    options = CLUSTERING if request.param == "clustering" else ()
    succeeds("segment", "good.png", "--out", "out", *options)
    return here / "out" / "good"


def labels_of(folder):
    return read_labels(folder / "labels.png")


def test_exactly_so_many_components(result, succeeds):
    for components in (1, 2, 3):
        output, errors = succeeds("recut", "out/good", "--components", components)
        noun = "component" if components == 1 else "components"
        assert output == f"{components} {noun}: result in out/good-{components}\n"
        assert errors == ""
        target = result.with_name(f"good-{components}")
        assert np.unique(labels_of(target)).tolist() == list(range(components))
        record = json.loads((target / "result.json").read_text())
        assert (record["components"], record["options"]["components"]) == (components, components)
        assert (target / "overlay.png").is_file()


def test_a_coarse_cut_joins_components_of_a_fine_one(result, succeeds):
    for components in (2, 4):
        succeeds("recut", "out/good", "--components", components)
    coarse, fine = (labels_of(result.with_name(f"good-{count}")) for count in (2, 4))
    for component in range(4):
        assert len(np.unique(coarse[fine == component])) == 1


def test_a_cut_can_be_cut_again(result, succeeds):
    succeeds("recut", "out/good", "--components", 2)
    succeeds("recut", "out/good-2", "--components", 3, "--out", "again")
    succeeds("recut", "out/good", "--components", 3)
    again = labels_of(result.parent.parent / "again" / "good-2")
    assert np.array_equal(again, labels_of(result.with_name("good-3")))


def test_from_inside_the_folder(result, succeeds, monkeypatch):
    monkeypatch.chdir(result)
    succeeds("recut", ".", "--components", 2)
    assert len(np.unique(labels_of(result.with_name("good-2")))) == 2


def test_without_the_image(result, here, succeeds):
    (here / "good.png").unlink()
    succeeds("recut", "out/good", "--components", 2)
    assert sorted(path.name for path in result.with_name("good-2").iterdir()) == [
        "hierarchy.npz",
        "labels.png",
        "result.json",
    ]


def test_several_results(here, succeeds, photo):
    Pillow.fromarray(photo[::-1]).save(here / "b.png")
    succeeds("segment", "good.png", "b.png", "--out", "out")
    succeeds("recut", "out/good", "out/b", "--components", 2, "--out", "two")
    assert sorted(path.name for path in (here / "two").iterdir()) == ["b", "good"]


def test_components_become_one_and_the_others_keep_their_ids(result, succeeds):
    succeeds("recut", "out/good", "--components", 4, "--out", "four")
    output, _ = succeeds(
        *("recut", "out/good", "--components", 4, "--merge", "1,3"),
        *("--name", "1=cup and saucer", "0=a=b"),
    )
    assert output == "3 components: result in out/good-4\n"
    target = result.with_name("good-4")
    cut = labels_of(result.parent.parent / "four" / "good")
    assert np.array_equal(labels_of(target), np.where(cut == 3, 1, cut))
    record = json.loads((target / "result.json").read_text())
    assert record["names"] == {"0": "a=b", "1": "cup and saucer"}
    assert record["notes"][-1] == "merged by hand: 1 + 3"
    rows = (target / "components.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows] == [
        ["id", "name"],
        ["0", "a=b"],
        ["1", "cup and saucer"],
        ["2", ""],
    ]
    assert not (target / "hierarchy.npz").exists()


def test_a_result_is_changed_without_a_new_cut(here, succeeds):
    succeeds("segment", "good.png", "--out", "out", "--method", "kmeans", "--components", 4)
    output, _ = succeeds("recut", "out/good", "--merge", "0,1", "2,3")
    assert output == "2 components: result in out/good-changed\n"
    former = labels_of(here / "out" / "good")
    changed = labels_of(here / "out" / "good-changed")
    assert np.array_equal(changed, former // 2 * 2)
    succeeds("recut", "out/good-changed", "--name", "2=floor", "--out", "named")
    record = json.loads((here / "named" / "good-changed" / "result.json").read_text())
    assert record["names"] == {"2": "floor"}


def test_what_was_merged_is_not_cut_again(result, refused, succeeds):
    succeeds("recut", "out/good", "--merge", "0,1")
    sentence = refused(2, "recut", "out/good-changed", "--components", 2)
    assert "merged by hand, so cut the result that it was made from" in sentence


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --components, --merge or --name"),
        (("--merge", "0;1"), "--merge is '0;1', accepted are ids with commas between them"),
        (("--merge", "0,"), "--merge is '0,'"),
        (("--merge", "0,-1"), "--merge is '0,-1'"),
        (("--merge", "0"), "a group to merge holds 0, accepted are two ids or more"),
        (("--merge", "0,99"), "component 99 does not occur, accepted are 0"),
        (("--merge", "0," + "9" * 5000), "accepted are ids with commas"),
        (("--name", "cup"), "--name is 'cup', accepted are an id and its name, as 0=cup"),
        (("--name", "cup=0"), "--name is 'cup=0'"),
        (("--name", "0="), "the name of component 0 is empty"),
        (("--name", "0=" + "x" * 65), "at most 64 letters"),
        (("--name", "0=a", "0=b"), "--name names component 0 twice"),
        (("--name", "99=cup"), "component 99 does not occur"),
        (("--components", 3, "--merge", "0,1", "--name", "1=cup"), "component 1 does not occur"),
    ],
)
def test_what_cannot_be_changed(here, succeeds, refused, arguments, said):
    succeeds("segment", "good.png", "--out", "out")
    assert said in refused(2, "recut", "out/good", *arguments)
    assert sorted(path.name for path in (here / "out").iterdir()) == ["good"]
