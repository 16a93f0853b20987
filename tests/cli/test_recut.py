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
