from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from segmint.errors import InputError
from segmint.images import (
    color_of,
    component_table,
    draw_overlay,
    to_hex,
    write_components_csv,
)

RANDOM = np.random.default_rng(9)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("low", [-1, 0])
@pytest.mark.parametrize("step", [1, 50_000])
def test_table_against_brute_force(dtype: str, low: int, step: int) -> None:
    pixels = (RANDOM.random((20, 30, 2)) * 200).astype(dtype)
    labels = RANDOM.integers(low, 6, (20, 30)) * step
    labels[labels == 2 * step] = 0
    labels[labels < 0] = -1
    table = component_table(pixels, labels)
    ids = sorted(set(labels[labels >= 0].tolist()))
    assert [component.id for component in table] == ids
    for component in table:
        inside = labels == component.id
        assert component.pixels == inside.sum()
        assert component.fraction == pytest.approx(inside.sum() / (labels >= 0).sum())
        np.testing.assert_allclose(component.mean, pixels[inside].mean(axis=0, dtype=float))
    assert sum(component.fraction for component in table) == pytest.approx(1)


def test_stack_and_plain_grey() -> None:
    pixels = RANDOM.random((3, 4, 5, 2))
    labels = RANDOM.integers(0, 3, (3, 4, 5))
    assert len(component_table(pixels, labels)[0].mean) == 2
    (mean,) = component_table(pixels[..., 0], labels)[1].mean
    assert mean == pytest.approx(pixels[labels == 1, 0].mean())


def test_color_is_the_color_in_the_picture() -> None:
    labels = np.zeros((9, 9), int)
    labels[:, 5:] = 4
    picture = np.zeros((9, 9, 3), np.uint8)
    shown = draw_overlay(picture, labels, alpha=1, outline_width=0)
    for component, place in zip(component_table(picture, labels), [(0, 0), (0, 8)], strict=True):
        assert (
            component.color
            == to_hex(tuple(shown[place].tolist()))
            == to_hex(color_of(component.id))
        )
    own = RANDOM.integers(0, 256, (5, 3), dtype=np.uint8)
    table = component_table(picture, labels, colors=own)
    assert [component.color for component in table] == [
        "#" + own[k].tobytes().hex() for k in (0, 4)
    ]


def test_nothing_inside_and_wrong_shapes() -> None:
    assert component_table(np.zeros((3, 3, 1)), np.full((3, 3), -1)) == []
    with pytest.raises(InputError, match=r"image has shape \(3, 3, 1\) and labels \(3, 4\)"):
        component_table(np.zeros((3, 3, 1)), np.zeros((3, 4), int))


def test_values_outside_do_not_count() -> None:
    pixels = np.array([[[1.0], [np.nan]]])
    assert component_table(pixels, np.array([[0, -1]]))[0].mean == (1.0,)


@pytest.mark.parametrize(
    ("channels", "columns"),
    [(3, ["mean_red", "mean_green", "mean_blue"]), (1, ["mean_0"]), (2, ["mean_0", "mean_1"])],
)
def test_csv(tmp_path: Path, channels: int, columns: list[str]) -> None:
    pixels = RANDOM.integers(0, 256, (6, 7, channels), dtype=np.uint8)
    labels = RANDOM.integers(0, 3, (6, 7))
    table = component_table(pixels, labels)
    write_components_csv(tmp_path / "a.csv", table)
    with (tmp_path / "a.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == ["id", "pixels", "fraction", *columns, "color"]
    for row, component in zip(rows, table, strict=True):
        assert int(row["id"]) == component.id
        assert int(row["pixels"]) == component.pixels
        assert float(row["fraction"]) == pytest.approx(component.fraction, abs=1e-6)
        means = [float(row[column]) for column in columns]
        np.testing.assert_allclose(means, component.mean, rtol=1e-5)
        assert row["color"] == component.color


def test_csv_with_names(tmp_path: Path) -> None:
    labels = np.array([[0, 1]])
    table = component_table(np.array([[5, 6]]), labels, names={1: "cells, dividing"})
    write_components_csv(tmp_path / "a.csv", table, channels=["dapi"])
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        "id,name,pixels,fraction,mean_dapi,color",
        f"0,,1,0.500000,5,{to_hex(color_of(0))}",
        f'1,"cells, dividing",1,0.500000,6,{to_hex(color_of(1))}',
    ]
