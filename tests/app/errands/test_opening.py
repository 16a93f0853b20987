"""The errand ``open``: facts and a picture of what is an image, a sentence for all else."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parent))
from heard import Heard

from segmint.app.errands.drawing import draw_view
from segmint.app.errands.opening import open_picture
from segmint.errors import InputError
from segmint.images import display_rgb, read_image

PIXELS = np.random.default_rng(0).integers(0, 255, (12, 18, 3)).astype(np.uint8)


def opened(path: Path, **limits: int) -> dict[str, Any]:
    how = {"max_pixels": 10**6, "max_whole": 10**6, **limits}
    return open_picture(Heard(), path=str(path), views=str(path.parent / "views"), **how)


def picture(path: Path, index: int = 0) -> np.ndarray:
    with Pillow.open(path.parent / "views" / f"picture-{index:04d}.png") as drawn:
        return np.asarray(drawn)


def test_a_photo(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Pillow.fromarray(PIXELS).save(path)
    assert opened(path) == {
        "width": 18,
        "height": 12,
        "slices": 1,
        "channels": 3,
        "view": {"width": 18, "height": 12},
        "large": False,
        "can_paint": True,
        "notes": [],
        "slice": 0,
    }
    np.testing.assert_array_equal(picture(path), PIXELS)


def test_a_grey_image_of_16_bits_is_stretched(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    Pillow.fromarray(PIXELS[..., 0].astype(np.uint16) * 3).save(path)
    facts = opened(path)
    assert (facts["channels"], facts["slices"]) == (1, 1)
    np.testing.assert_array_equal(picture(path), display_rgb(read_image(path).pixels))


def test_one_pixel(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    Pillow.fromarray(PIXELS[:1, :1]).save(path)
    assert opened(path)["view"] == {"width": 1, "height": 1}


def test_a_stack_begins_in_the_middle_and_further_slices_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    stack = np.random.default_rng(1).integers(0, 255, (5, 9, 7)).astype(np.uint8)
    tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": "ZYX"})
    facts = opened(path)
    assert (facts["slices"], facts["slice"]) == (5, 2)
    np.testing.assert_array_equal(picture(path, 2)[..., 0], stack[2])
    how = {"kind": "picture", "path": str(path), "views": str(tmp_path / "views")}
    draw_view(Heard(), index=4, **how)
    np.testing.assert_array_equal(picture(path, 4)[..., 0], stack[4])
    for index in (5, -1):
        with pytest.raises(InputError, match="has no slice"):
            draw_view(Heard(), index=index, **how)


def test_a_volume_stands_upright(tmp_path: Path) -> None:
    path = tmp_path / "heart.nii.gz"
    voxels = np.random.default_rng(2).normal(size=(6, 8, 3)).astype(np.float32)
    # The first axis leads to the feet, the second to the left: shown as they are.
    affine = np.array([[0, -1.0, 0, 0], [0, 0, 1.0, 0], [-1.0, 0, 0, 0], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
    facts = opened(path)
    assert facts["slices"] == 3
    assert {facts["width"], facts["height"]} == {6, 8}
    assert picture(path, 1).shape[:2] == (facts["height"], facts["width"])


@pytest.mark.parametrize(("across", "can_paint"), [(-1.0, True), (1.0, False)])
def test_only_what_is_shown_as_in_its_file_can_be_painted_on(
    tmp_path: Path, across: float, can_paint: bool
) -> None:
    path = tmp_path / "slice.nii"
    voxels = np.random.default_rng(3).normal(size=(6, 8)).astype(np.float32)
    # Rows lead to the feet, columns to the left, which stays, or to the right, which is mirrored.
    affine = np.array([[0, across, 0, 0], [0, 0, 1.0, 0], [-1.0, 0, 0, 0], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
    assert opened(path)["can_paint"] is can_paint


def test_no_stack_can_be_painted_on(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    stack = np.zeros((3, 4, 5), np.uint8)
    tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": "ZYX"})
    assert not opened(path)["can_paint"]


def test_a_large_image_is_drawn_by_window(tmp_path: Path) -> None:
    path = tmp_path / "scene.tif"
    scene = np.kron(PIXELS, np.ones((40, 40, 1), np.uint8))
    tifffile.imwrite(path, scene, tile=(64, 64), photometric="rgb")
    facts = opened(path, max_whole=1000)
    assert facts["large"]
    assert (facts["width"], facts["height"], facts["slices"]) == (720, 480, 1)
    drawn = picture(path).astype(int)
    assert drawn.shape == (480, 720, 3)
    assert np.abs(drawn[20::40, 20::40] - PIXELS).max() <= 1
    with pytest.raises(InputError, match="accepted are at most 1000: raise --max-pixels"):
        opened(path, max_whole=1000, max_pixels=1000)


def test_a_large_photo_that_must_be_decoded_whole_is_none(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Pillow.fromarray(PIXELS).save(path)
    facts = opened(path, max_whole=10)
    assert (facts["large"], facts["can_paint"]) == (False, False)


def bomb() -> bytes:
    """A PNG whose header says 50,000 x 50,000."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header
    return start + struct.pack(">I", zlib.crc32(header))


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "bomb", "gone", "pickle"])
def test_what_cannot_be_opened_is_told_as_on_the_command_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo.png"
    Pillow.fromarray(PIXELS).save(path)
    whole = path.read_bytes()
    contents = {
        "text": b"not an image at all",
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "bomb": bomb(),
        "pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00.",
    }
    path.unlink()
    if kind in contents:
        path.write_bytes(contents[kind])
    with pytest.raises(InputError) as expected:
        read_image(path, max_pixels=10**6)
    with pytest.raises(InputError) as refused:
        opened(path)
    assert str(refused.value) == str(expected.value)
    assert not (tmp_path / "views").exists()
