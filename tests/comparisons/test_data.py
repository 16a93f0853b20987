from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from segmint.comparisons.data import Source, choose_split, scored_images
from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.sample import Sample
from segmint.errors import InputError, UsageError


def source(root: Path, **others: object) -> Source:
    told = {
        "name": "folder",
        "root": root,
        "options": {},
        "val_fraction": None,
        "seed": 0,
        **others,
    }
    return Source(**told)  # type: ignore[arg-type]


KNOWN, UNKNOWN = np.zeros((2, 3), np.uint8), np.full((2, 3), 255, np.uint8)


@dataclass(frozen=True, kw_only=True)
class Made(Source):
    """Splits of images whose masks are told, or cannot be read."""

    masks: Mapping[str, Mapping[str, np.ndarray | None]]

    def splits(self) -> tuple[str, ...]:
        return tuple(self.masks)

    def open(self, split: str) -> Dataset:
        masks = self.masks[split]

        def read(pair: Pair) -> Sample:
            mask = masks[pair.name]
            if mask is None:
                raise InputError(f"{pair.name} cannot be read")
            return Sample(image=np.zeros((2, 3, 1), np.uint8), mask=mask, name=pair.name)

        return Dataset(
            name="made",
            root=self.root,
            split=split,
            classes=("one", "two"),
            palette=np.zeros((2, 3), np.uint8),
            pairs=tuple(Pair(image=Path(name), mask=None, name=name) for name in masks),
            read=read,
        )


def made(
    test: Mapping[str, np.ndarray | None], **others: Mapping[str, np.ndarray | None]
) -> Source:
    return Made(
        name="made",
        root=Path(),
        options={},
        val_fraction=None,
        seed=0,
        masks={"train": {"t": KNOWN}, "test": test, **others},
    )


def rewritten(scenes: Path, place: Path, lines: dict[str, str]) -> Path:
    """The scenes with other words in their table."""
    root = place / "scenes"
    shutil.copytree(scenes, root)
    text = (root / "pairs.csv").read_text()
    for before, after in lines.items():
        text = text.replace(before, after)
    (root / "pairs.csv").write_text(text)
    return root


def test_the_test_split_is_scored_where_it_has_a_truth(scenes: Path) -> None:
    assert choose_split(source(scenes), None, learns=True) == "test"
    assert choose_split(source(scenes), "val", learns=True) == "val"


def test_without_a_truth_in_test_it_is_val() -> None:
    assert choose_split(made({"a": UNKNOWN}, val={"b": KNOWN}), None, learns=True) == "val"
    with pytest.raises(InputError, match="no truth to score by in test or val"):
        choose_split(made({"a": UNKNOWN}, val={"b": UNKNOWN}), None, learns=True)


def test_training_images_are_scored_only_where_nothing_learns_from_them(
    scenes: Path, tmp_path: Path
) -> None:
    root = rewritten(scenes, tmp_path, {",val": ",train", ",test": ",train"})
    assert choose_split(source(root), None, learns=False) == "train"
    with pytest.raises(InputError, match="has no truth to score by in test or val"):
        choose_split(source(root), None, learns=True)
    assert choose_split(source(root, val_fraction=0.25), None, learns=True) == "val"


def test_an_unknown_split_is_refused(scenes: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'test'"):
        choose_split(source(scenes), "tst", learns=True)


def test_images_are_chosen_evenly(scenes: Path) -> None:
    whole = scored_images(source(scenes), "train")
    assert whole.is_whole
    assert whole.notes == ()
    some = scored_images(source(scenes), "train", most=3)
    assert [pair.name for pair in some.dataset.pairs] == ["train0", "train2", "train4"]
    assert not some.is_whole
    assert some.notes == ("3 of the 6 images of train were chosen, evenly spread",)


def test_images_without_a_usable_truth_are_left_out_and_named() -> None:
    found = scored_images(
        made({"a": KNOWN, "b": UNKNOWN, "c": None, "d": KNOWN, "e": None}), "test"
    )
    assert [pair.name for pair in found.dataset.pairs] == ["a", "d"]
    assert not found.is_whole
    assert found.notes == (
        "1 image of test left out (b): it has no truth",
        "2 images of test left out (c, e): c cannot be read",
    )


def test_a_split_without_any_usable_image_is_refused() -> None:
    with pytest.raises(InputError, match=r"no image of split 'test' .* \(a cannot be read\)"):
        scored_images(made({"a": None, "b": UNKNOWN}), "test")
