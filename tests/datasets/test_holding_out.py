from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint import datasets
from segmint.datasets.dataset import Pair
from segmint.datasets.holding_out import hold_out, hold_out_last
from segmint.errors import InputError, UsageError


def pairs(count: int) -> list[Pair]:
    return [Pair(image=Path(f"{n}.png"), mask=None, name=str(n)) for n in range(count)]


@given(
    groups=st.lists(st.sampled_from("abcde"), min_size=2, max_size=30).filter(
        lambda groups: len(set(groups)) > 1
    ),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 1000),
)
def test_groups_stay_together(groups: list[str], fraction: float, seed: int) -> None:
    every = pairs(len(groups))
    train, val = hold_out(every, groups, fraction=fraction, seed=seed, place=Path())
    assert train
    assert val
    assert sorted([*train, *val], key=lambda pair: int(pair.name)) == every
    group_of = dict(zip((pair.name for pair in every), groups, strict=True))
    assert not {group_of[pair.name] for pair in train} & {group_of[pair.name] for pair in val}


def test_seed_and_share() -> None:
    every = pairs(100)
    names = [pair.name for pair in every]
    parts = [hold_out(every, names, fraction=0.2, seed=seed, place=Path())[1] for seed in (1, 1, 2)]
    assert parts[0] == parts[1] != parts[2]
    assert {len(part) for part in parts} == {20}


def test_the_order_of_files_does_not_matter() -> None:
    every = pairs(20)
    names = [pair.name for pair in every]
    one = hold_out(every, names, fraction=0.3, seed=5, place=Path())[1]
    other = hold_out(every[::-1], names[::-1], fraction=0.3, seed=5, place=Path())[1]
    assert one == other[::-1]


def test_the_last() -> None:
    train, val = hold_out_last(pairs(30), fraction=0.2, place=Path())
    assert [int(pair.name) for pair in val] == list(range(24, 30))
    assert len(train) == 24


def test_one_image_cannot_be_divided() -> None:
    with pytest.raises(InputError, match="x has one image for training"):
        hold_out(pairs(1), ["0"], fraction=0.5, seed=0, place=Path("x"))


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 2.0, float("nan")])
def test_shares_out_of_range(tmp_path: Path, fraction: float) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    with pytest.raises((UsageError, InputError), match=r"val_fraction is|holds no image"):
        datasets.splits("folder", tmp_path, val_fraction=fraction)


def test_val_without_a_share(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        for number in range(3):
            Pillow.new("L", (2, 2), 1).save(tmp_path / part / f"{number}.png")
    words = "folder in .* has no split 'val' and val_fraction is 0: pass val_fraction=0.2"
    with pytest.raises(UsageError, match=words):
        datasets.open("folder", tmp_path, split="val")
    assert len(datasets.open("folder", tmp_path)) == 3
    assert len(datasets.open("folder", tmp_path, val_fraction=0.3)) == 2
