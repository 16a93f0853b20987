"""Components joined and named by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import segmint
from segmint.errors import UsageError
from segmint.methods.method import BY_AREA
from segmint.methods.mixture_table import MixtureTable
from segmint.methods.segmentation import Segmentation
from segmint.methods.storage import load_segmentation

LABELS = np.array([[0, 0, 0, 1, 1], [2, 2, 3, -1, 5]], np.int32)


def found(labels: np.ndarray = LABELS, **others: object) -> Segmentation:
    plain = {"method": "kmeans", "options": {}, "seed": 0, "seconds": 0.5}
    return Segmentation(labels=labels, **{**plain, **others})  # type: ignore[arg-type]


def by_hand(labels: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """Labels after joining groups one after the other until nothing changes."""
    merged = labels.copy()
    name = {int(label): int(label) for label in np.unique(labels)}
    for _ in range(len(groups) + 1):
        for group in groups:
            least = min(name[label] for label in group)
            for label, now in list(name.items()):
                if now in [name[each] for each in group]:
                    name[label] = least
    for label, now in name.items():
        merged[labels == label] = now
    return merged


def test_a_group_becomes_its_smallest_id_and_others_stay() -> None:
    merged = found().with_merged([[3, 1], [5, 2]])
    assert merged.labels.tolist() == [[0, 0, 0, 1, 1], [2, 2, 1, -1, 2]]
    assert merged.labels.dtype == np.int32
    assert merged.components == 3
    assert merged.notes == ("merged by hand: 1 + 3, 2 + 5",)
    assert merged.order != BY_AREA
    assert found().labels.tolist() == LABELS.tolist()


def test_groups_that_share_an_id_are_one() -> None:
    for groups in ([[5, 3], [3, 1]], [[3, 1], [1, 5]], [[1, 3, 5]]):
        assert found().with_merged(groups).labels.tolist() == [[0, 0, 0, 1, 1], [2, 2, 1, -1, 1]]


@given(
    arrays(np.int32, (6, 7), elements=st.integers(-1, 8)),
    st.lists(st.lists(st.integers(0, 8), min_size=2, max_size=4, unique=True), max_size=4),
)
def test_merging_equals_joining_by_hand(labels: np.ndarray, groups: list[list[int]]) -> None:
    labels.flat[:9] = np.arange(9)
    merged = found(labels).with_merged(groups)
    np.testing.assert_array_equal(merged.labels, by_hand(labels, groups))
    assert merged.components == len(np.unique(merged.labels[merged.labels >= 0]))


def test_nothing_to_merge_or_name_changes_nothing() -> None:
    plain = found()
    assert plain.with_merged([]) is plain
    assert plain.with_names({}) is plain
    assert plain.changed() is plain


def test_very_large_ids() -> None:
    labels = np.array([[0, 2**31 - 2, 7]], np.int32)
    assert found(labels).with_merged([[2**31 - 2, 7]]).labels.tolist() == [[0, 7, 7]]


def test_probabilities_of_a_group_add_up() -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(4), (3, 5)).astype(np.float32)
    probabilities = np.moveaxis(shares, -1, 0)
    labels = probabilities.argmax(axis=0).astype(np.int32)
    labels[0] = [0, 1, 2, 3, 0]
    merged = found(labels, compute_probabilities=lambda: probabilities).with_merged([[3, 1]])
    assert merged.probabilities is not None
    np.testing.assert_allclose(merged.probabilities.sum(axis=0), 1, rtol=1e-6)
    np.testing.assert_array_equal(merged.probabilities[1], probabilities[1] + probabilities[3])
    assert not merged.probabilities[3].any()
    np.testing.assert_array_equal(merged.probabilities[[0, 2]], probabilities[[0, 2]])


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([[0, 4]], "component 4 does not occur, accepted are 0, 1, 2, 3, 5"),
        ([[-1, 0]], "component -1 does not occur"),
        ([[0]], "a group to merge holds 0, accepted are two ids or more"),
        ([[2, 2]], "a group to merge holds 2"),
        ([[]], "a group to merge holds no id"),
    ],
)
def test_groups_that_cannot_be_merged(groups: list[list[int]], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        found().with_merged(groups)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({4: "cup"}, "component 4 does not occur"),
        ({0: "  "}, "the name of component 0 is empty"),
        ({1: "x" * 65}, "of component 1 has 65 letters, accepted is one line of at most 64"),
        ({1: "a\nb"}, "is no plain line"),
        ({1: "a\x00b"}, "is no plain line"),
    ],
)
def test_names_that_cannot_be_given(names: dict[int, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        found().with_names(names)


def test_names_stay_with_their_components() -> None:
    named = found(names={2: "floor"}).with_names({0: " cup ", 3: "rim"})
    assert named.names == {0: "cup", 2: "floor", 3: "rim"}
    assert named.with_merged([[3, 0], [5, 1]]).names == {0: "cup", 2: "floor"}
    assert named.with_names({0: "mug"}).names[0] == "mug"


def test_a_new_cut_has_no_names() -> None:
    picture = np.kron(np.arange(6).reshape(2, 3) * 40, np.ones((8, 8))).astype(np.uint8)
    fine = segmint.segment(picture, components=4).with_names({3: "corner"})
    assert fine.with_components(2).names == {}


def test_the_order_is_cut_then_merged_then_named() -> None:
    picture = np.kron(np.arange(6).reshape(2, 3) * 40, np.ones((8, 8))).astype(np.uint8)
    whole = segmint.segment(picture)
    changed = whole.changed(components=4, merged=[[1, 3]], names={1: "pair"})
    alone = whole.with_components(4).with_merged([[1, 3]]).with_names({1: "pair"})
    np.testing.assert_array_equal(changed.labels, alone.labels)
    assert changed.names == alone.names == {1: "pair"}
    with pytest.raises(UsageError, match="component 3 does not occur"):
        whole.changed(components=4, merged=[[1, 3]], names={3: "gone"})


def test_what_was_merged_cannot_be_cut_again() -> None:
    picture = np.kron(np.arange(6).reshape(2, 3) * 40, np.ones((8, 8))).astype(np.uint8)
    merged = segmint.segment(picture, components=3).with_merged([[0, 1]])
    assert merged.hierarchy is None
    with pytest.raises(UsageError, match="merged by hand, so cut the result that it was made from"):
        merged.with_components(2)


def test_names_of_a_mixture_stand_in_its_table() -> None:
    table = MixtureTable(weights=np.ones(2) / 2, means=np.eye(2), variances=np.eye(2))
    labels = np.array([[0, 1]], np.int32)
    named = found(labels, mixture=table).with_names({1: "scar"})
    assert named.mixture is not None
    assert [row["name"] for row in named.mixture.rows()] == [None, "scar"]
    assert named.with_merged([[0, 1]]).mixture is None


def test_files_of_a_changed_result(tmp_path: Path) -> None:
    picture = np.arange(10, dtype=np.uint8).reshape(2, 5)
    changed = found().with_merged([[0, 3]]).with_names({0: "cup, blue", 5: "=SUM(1)"})
    changed.save(tmp_path / "new", picture)
    record = json.loads((tmp_path / "new" / "result.json").read_text())
    assert record["names"] == {"0": "cup, blue", "5": "=SUM(1)"}
    assert record["notes"] == ["merged by hand: 0 + 3"]
    assert record["components"] == 4
    with (tmp_path / "new" / "components.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["name"], row["pixels"]) for row in rows] == [
        ("0", "cup, blue", "4"),
        ("1", "", "2"),
        ("2", "", "2"),
        ("5", "=SUM(1)", "1"),
    ]
    again, _ = load_segmentation(tmp_path / "new")
    np.testing.assert_array_equal(again.labels, changed.labels)
    assert (again.names, again.order, again.notes) == (changed.names, changed.order, changed.notes)


def test_notes_of_the_image_are_not_doubled(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    pixels = np.kron(np.arange(6).reshape(2, 3) * 40, np.ones((8, 8))).astype(np.uint8)
    picture = Pillow.fromarray(pixels)
    picture.putpalette(np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes())
    picture.save(tmp_path / "photo.png")
    image = segmint.read_image(tmp_path / "photo.png")
    assert image.notes
    segmint.segment(image).save(tmp_path / "first", image)
    again, read = load_segmentation(tmp_path / "first")
    again.save(tmp_path / "second", read)
    first, second = (
        json.loads((tmp_path / name / "result.json").read_text())["notes"]
        for name in ("first", "second")
    )
    assert first == second
