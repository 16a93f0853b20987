"""Rows of panels: what is drawn is looked for in the pixels."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from segmint.errors import InputError
from segmint.images import Image, color_of
from segmint.reports import panels
from segmint.reports.legend import TEXT_SIZE, fitted, flow_legend, text_width
from segmint.reports.panels import draw_panels, panels_png

LETTERS = st.characters(codec="latin-1", categories=["L", "N", "P", "S", "Zs"])
NAMES = {0: "blood pool", 1: "myocardium", 2: "scar"}


def heart(side: int = 100) -> tuple[Image, npt.NDArray[np.int32]]:
    """A ring around a disk in the middle of a picture; a sector of the ring is class 2."""
    rows, columns = np.mgrid[:side, :side] - side / 2
    radius = np.hypot(rows, columns)
    truth = np.full((side, side), 255, np.int32)
    truth[radius < side / 5] = 1
    truth[(radius < side / 5) & (rows > 0)] = 2
    truth[radius < side / 8] = 0
    pixels = np.random.default_rng(0).normal(size=(side, side, 3)).astype(np.float32)
    names = ("LGE", "T2", "C0")
    image = Image(pixels=pixels, region=truth != 255, channel_names=names, spacing=(0.7, 0.7))
    return image, truth


def areas(picture: npt.NDArray[np.uint8], label: int) -> npt.NDArray[np.int64]:
    """How many pixels of each column have the color of a label."""
    return np.count_nonzero((picture == np.array(color_of(label), np.uint8)).all(-1), axis=0)


def runs(columns: npt.NDArray[np.bool_]) -> int:
    """How many separate blocks are set."""
    return int(np.count_nonzero(np.diff(columns.astype(int), prepend=0) == 1))


def test_prediction_and_truth_have_the_same_colors() -> None:
    image, truth = heart()
    labels = np.where(truth == 255, -1, truth)
    picture = draw_panels(image, labels, truth, names=NAMES)
    body = picture[: int(0.8 * len(picture))]
    for label in range(3):
        blocks = areas(body, label)
        assert runs(blocks > 0) == 2
        first, second = np.split(blocks, [int(np.flatnonzero(blocks > 0).mean())])
        assert first.sum() == pytest.approx(second.sum(), rel=0.02)
        assert blocks.sum() / areas(body, 0).sum() == pytest.approx(
            (truth == label).sum() / (truth == 0).sum(), rel=0.05
        )


def test_the_region_fills_its_panel() -> None:
    image, truth = heart(200)
    labels = np.where(truth == 255, -1, truth)
    picture = draw_panels(image, labels, names={})
    colored = sum(areas(picture[: int(0.8 * len(picture))], label) for label in range(3))
    panel = panels._PANEL * panels.DOTS_PER_INCH
    assert np.count_nonzero(colored) > 0.7 * panel


def test_the_order_and_titles_of_cardiac_sequences() -> None:
    image, _ = heart()
    assert panels._channels(image) == ([2, 1, 0], ["bSSFP", "T2", "LGE"])
    files = replace(image, channel_names=("T2", "DE", "C0"))
    assert panels._channels(files) == ([2, 0, 1], ["bSSFP", "T2", "LGE"])
    others = replace(image, channel_names=("T2", "flair", "T1"))
    assert panels._channels(others) == ([0, 1, 2], ["T2", "flair", "T1"])


@pytest.mark.parametrize(
    ("pixels", "titles"),
    [
        (np.zeros((4, 5, 1), np.uint8), ["image"]),
        (np.zeros((4, 5, 3), np.uint8), ["red", "green", "blue"]),
        (np.zeros((4, 5, 3), np.float32), ["channel 0", "channel 1", "channel 2"]),
        (np.zeros((4, 5, 9), np.float32), [f"channel {index}" for index in range(6)]),
    ],
)
def test_titles_of_channels_without_names(pixels: npt.NDArray[Any], titles: list[str]) -> None:
    channels, found = panels._channels(Image(pixels=pixels))
    assert (channels, found) == (list(range(len(titles))), titles)


def test_what_is_left_out_is_said() -> None:
    labels = np.zeros((5, 8, 9), np.int32)
    labels[1, :4], labels[3, :4] = 1, 1
    image = Image(pixels=np.zeros((5, 8, 9, 8)))
    assert panels._view(image, labels, None).note == "slice 2 of 5, the first 6 of 8 channels"
    labels[4, :3], labels[4, 5:] = 1, 2
    assert panels._view(image, labels, None).note.startswith("slice 5 of 5")
    assert panels._view(image, np.zeros_like(labels), None).note.startswith("slice 3 of 5")
    assert draw_panels(image, labels, labels, names={}).dtype == np.uint8


def test_pixels_that_are_not_square() -> None:
    """Rows 3 mm apart and columns 1 mm: 20 x 60 pixels are a square."""
    image = Image(pixels=np.zeros((20, 60, 1)), spacing=(3.0, 1.0))
    picture = draw_panels(image, np.zeros((20, 60), np.int32), names={})
    shown = areas(picture, 0)
    assert shown.max() == pytest.approx(np.count_nonzero(shown), rel=0.1)


def test_the_scale_bar_has_the_length_it_names() -> None:
    side, spacing = 100, 0.5
    image = Image(pixels=np.full((side, side, 1), 255, np.uint8), spacing=(spacing, spacing))
    labels = np.zeros((side, side), np.int32)
    picture = draw_panels(image, labels, names={})
    dark = (picture < 80).all(-1)
    left = round(panels._EDGE * panels.DOTS_PER_INCH) + 2
    bar = 2 + max(int(np.argmin(row)) for row in dark[:, left:])
    panel = panels._PANEL * panels.DOTS_PER_INCH
    assert bar == pytest.approx(panel * 20 / (side * spacing), abs=3)


@given(st.floats(1e-6, 1e6))
def test_round_lengths(most: float) -> None:
    length = panels._round_length(most)
    assert most / 2.5 * (1 - 1e-6) <= length <= most * (1 + 1e-6)
    assert f"{length:.0e}"[0] in "125"
    assert float(f"{length:.0e}") == pytest.approx(length)


@pytest.mark.parametrize("spacing", [None, (0.0, 1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_a_spacing_that_is_no_spacing(spacing: tuple[float, float] | None) -> None:
    image = Image(pixels=np.zeros((8, 9, 1)), spacing=spacing)
    assert panels._known_spacing(image, 1) is None
    assert draw_panels(image, np.zeros((8, 9), np.int32), names={}).size


def test_a_large_image_is_thinned_and_its_millimeters_stay() -> None:
    image = Image(pixels=np.zeros((4100, 30, 1), np.uint8), spacing=(0.1, 0.1))
    view = panels._view(image, np.zeros((4100, 30), np.int32), None)
    assert view.labels.shape == (1367, 10)
    assert view.size == pytest.approx((410, 3), rel=0.01)


def test_the_png_holds_the_picture() -> None:
    image, truth = heart()
    content = panels_png(image, truth, truth, names=NAMES)
    picture = draw_panels(image, truth, truth, names=NAMES)
    np.testing.assert_array_equal(np.array(Pillow.open(io.BytesIO(content))), picture)


def test_nothing_inside() -> None:
    image = Image(pixels=np.full((8, 9, 2), np.nan, np.float32))
    nothing = np.full((8, 9), -1, np.int32)
    assert draw_panels(image, nothing, nothing, names={}).size


@pytest.mark.parametrize("labels", [np.zeros((8, 8), np.int32), np.zeros((8, 9))])
def test_labels_of_another_image(labels: npt.NDArray[Any]) -> None:
    image = Image(pixels=np.zeros((8, 9, 1)))
    with pytest.raises(InputError, match="labels is"):
        draw_panels(image, labels, names={})
    with pytest.raises(InputError, match="truth is"):
        draw_panels(image, np.zeros((8, 9), np.int32), labels, names={})


@given(
    ids=st.lists(st.integers(0, 400), unique=True, max_size=30).map(sorted),
    names=st.dictionaries(st.integers(0, 30), st.text(LETTERS, max_size=60), max_size=8),
    width=st.floats(1.2, 12),
)
def test_legend_entries_never_overlap(ids: list[int], names: dict[int, str], width: float) -> None:
    lines = flow_legend(ids, names, left=1.0, right=1.0 + width, top=2.0)
    assert len(lines) == min(len(ids), 17)
    end, row = 0.0, 0.0
    for line in lines:
        assert line.left >= (end if line.middle == row else 1.0)
        end, row = line.left + text_width(line.text, TEXT_SIZE), line.middle
        assert end <= 1.0 + width + 1e-6


@given(st.text(LETTERS, min_size=1, max_size=80), st.floats(1, 5))
def test_fitted_text_fits_on_one_line(text: str, width: float) -> None:
    short = fitted(text, 13, width)
    assert text_width(short, 13) <= width
    assert len(short.split("\n")) == 1
    if text_width(" ".join(text.split()), 13) <= width:
        assert short == " ".join(text.split())
