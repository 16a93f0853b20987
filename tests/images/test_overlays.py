from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage.segmentation import find_boundaries

from segmint.errors import InputError, UsageError
from segmint.images import color_of, draw_overlay, save_picture

LABELS = np.zeros((80, 90), np.int32)
LABELS[20:60, 30:70] = 3
PICTURE = np.random.default_rng(6).integers(0, 256, (80, 90, 3), dtype=np.uint8)
FAR_INSIDE = (40, 50)


def test_fill_mixes_picture_and_color() -> None:
    shown = draw_overlay(PICTURE, LABELS, alpha=0.25, outline_width=0)
    colors = np.array([color_of(label) for label in range(4)])[LABELS]
    np.testing.assert_allclose(shown, 0.75 * PICTURE + 0.25 * colors, atol=0.51)
    own = np.zeros((4, 3), np.uint8)
    own[3] = 200
    shown = draw_overlay(PICTURE, LABELS, alpha=1, colors=own, outline_width=0)
    np.testing.assert_array_equal(shown, own[LABELS])


@pytest.mark.parametrize("ground", [0, 128, 255])
@pytest.mark.parametrize("side", [1, 4])
def test_outlines_show_on_any_ground(ground: int, side: int) -> None:
    labels = np.kron(LABELS, np.ones((side, side), int))
    picture = np.full((*labels.shape, 3), ground, np.uint8)
    shown = draw_overlay(picture, labels, alpha=0.0, outline_width=side).astype(int)
    border = find_boundaries(labels, mode="thick")
    assert (shown.max(axis=-1)[border].max()) == 255
    brightness = shown.sum(axis=-1)[20 * side - 6 * side : 20 * side + 6 * side, 50 * side]
    assert brightness.max() - brightness.min() > 200
    np.testing.assert_array_equal(shown[FAR_INSIDE[0] * side, FAR_INSIDE[1] * side], ground)


def test_line_grows_with_the_picture() -> None:
    widths = []
    for side in (500, 2000):
        labels = np.zeros((side, side), int)
        labels[:, side // 2 :] = 1
        shown = draw_overlay(np.zeros((side, side, 3), np.uint8), labels, alpha=0.0)
        widths.append(int(np.count_nonzero(shown[side // 2, :, 0] > 200)))
    assert widths[0] == 1
    assert 3 <= widths[1] <= 5


def test_outside_is_grey_and_inputs_stay() -> None:
    labels = LABELS.copy()
    labels[:10] = -1
    before = PICTURE.copy()
    shown = draw_overlay(PICTURE, labels)
    outside = shown[:6]
    np.testing.assert_array_equal(outside[..., 0], outside[..., 1])
    np.testing.assert_array_equal(outside[..., 0], outside[..., 2])
    np.testing.assert_array_equal(PICTURE, before)


def test_specks_are_not_buried_in_lines() -> None:
    specks = np.random.default_rng(0).integers(0, 2, LABELS.shape)
    shown = draw_overlay(np.zeros_like(PICTURE), specks, alpha=0.0)
    assert shown.max() < 80


def test_one_label_has_no_outline() -> None:
    shown = draw_overlay(PICTURE, np.zeros_like(LABELS), alpha=0.0)
    np.testing.assert_array_equal(shown, PICTURE)


def test_errors() -> None:
    with pytest.raises(InputError, match="picture is float64"):
        draw_overlay(PICTURE / 255, LABELS)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"accepted are integers of shape \(80, 90\)"):
        draw_overlay(PICTURE, LABELS.T)
    with pytest.raises(InputError, match="labels go up to 3 and 2 colors"):
        draw_overlay(PICTURE, LABELS, colors=np.zeros((2, 3), np.uint8))
    with pytest.raises(UsageError, match="alpha is 2"):
        draw_overlay(PICTURE, LABELS, alpha=2)
    with pytest.raises(UsageError, match="outline width is -1"):
        draw_overlay(PICTURE, LABELS, outline_width=-1)


def test_saved_picture(tmp_path: Path) -> None:
    save_picture(tmp_path / "new" / "a.png", PICTURE)
    with Pillow.open(tmp_path / "new" / "a.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), PICTURE)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]
