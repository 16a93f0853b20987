from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from segmint.datasets.label_map import packed_colors
from segmint.images.palettes import palette
from segmint.reports.mask_overlay import mask_overlay, plain_classes, thin_classes
from segmint.reports.overlay_sheet import (
    DOTS_PER_INCH,
    Tile,
    draw_overlay_sheet,
    write_overlay_sheet,
)

NAMES = ("background", "cell", "wall")


def halves(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    mask[:, width // 2 :] = 1
    return mask


def tile(mask: NDArray[np.uint8], channels: int = 3) -> Tile:
    image = np.full((*mask.shape, channels), 100, np.uint8)
    return Tile(title="train: a", image=image, mask=mask)


def overlay(mask: NDArray[np.uint8], **options: list[int]) -> NDArray[np.uint8]:
    image = np.full((*mask.shape, 3), 100, np.uint8)
    return mask_overlay(image, mask, palette()[:3], size=mask.shape, **options)  # type: ignore[arg-type]


class TestMaskOverlay:
    def test_colors_are_mixed(self) -> None:
        found = overlay(halves())
        for column, number in ((5, 0), (55, 1)):
            expected = np.rint(50 + 0.5 * palette()[number])
            np.testing.assert_allclose(found[20, column], expected, atol=1)

    def test_plain_stays_as_it_is(self) -> None:
        found = overlay(halves(), plain=[0])
        assert found[20, 5].tolist() == [100, 100, 100]
        assert found[20, 55].tolist() != [100, 100, 100]

    def test_uncounted_is_striped_grey(self) -> None:
        mask = halves()
        mask[mask == 1] = 255
        found = overlay(mask)[:, 40:]
        assert (found == found[..., :1]).all()
        assert len(np.unique(found)) == 2
        assert found.max() == 255

    def test_thin_lines_survive_a_small_picture(self) -> None:
        mask = np.zeros((200, 200), np.uint8)
        mask[:, 101] = 2
        image = np.zeros((200, 200, 3), np.uint8)
        found = mask_overlay(image, mask, palette()[:3], size=(67, 67), plain=[0], thin=[2])
        np.testing.assert_allclose(found.max(axis=(0, 1)), 0.9 * palette()[2], atol=1)


def test_what_is_left_plain() -> None:
    assert plain_classes([halves()], ("background", "b")) == [0]
    assert plain_classes([halves()], ("a", "b")) == []
    mostly = np.zeros((10, 10), np.uint8)
    mostly[0, 0] = 1
    assert plain_classes([mostly], ("a", "b")) == [0]


def test_what_is_thin() -> None:
    mask = halves()
    assert thin_classes([mask]) == []
    mask[:, 29] = 2
    assert thin_classes([mask]) == [2]


class TestSheet:
    @pytest.mark.parametrize("count", [1, 5, 12])
    def test_any_number(self, count: int) -> None:
        sheet = draw_overlay_sheet([tile(halves())] * count, NAMES, palette()[:3])
        assert sheet.dtype == np.uint8
        assert sheet.shape[1:] == (round(12.8 * DOTS_PER_INCH), 3)

    @pytest.mark.parametrize(
        ("shape", "channels"), [((2, 2), 1), ((3, 400), 2), ((400, 3), 3), ((700, 900), 7)]
    )
    def test_any_image(self, shape: tuple[int, int], channels: int) -> None:
        sheet = draw_overlay_sheet([tile(halves(*shape), channels)], NAMES, palette()[:3])
        assert (sheet != 255).any()

    def test_names_of_any_length_and_number(self) -> None:
        mask = np.resize(np.arange(250, dtype=np.uint8), (50, 50))
        names = ["x" * 90, "雪 $x_1$", *(f"class {number}" for number in range(248))]
        sheet = draw_overlay_sheet([tile(mask)], names, palette()[:250])
        drawn, wanted = (packed_colors(each) for each in (sheet, palette()[np.newaxis, 2:250]))
        assert np.isin(wanted, drawn).all()

    def test_file(self, tmp_path: Path) -> None:
        path = tmp_path / "out" / "sheet.png"
        write_overlay_sheet(path, [tile(halves())], NAMES, palette()[:3])
        with Pillow.open(path) as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGB")
