from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.datasets.pixel_files import read_mask_values, read_pixels, stored_palette
from segmint.errors import InputError
from segmint.images import read_image
from segmint.images.choices import MAX_PIXELS

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (9, 13), dtype=np.uint8)
COLOR = RNG.integers(0, 256, (9, 13, 3), dtype=np.uint8)


@pytest.mark.parametrize("orientation", [0, 1, 3, 6, 8])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("pixels", [GREY, COLOR], ids=["grey", "color"])
def test_plain_files_as_read_image_reads_them(
    tmp_path: Path, pixels: np.ndarray, suffix: str, orientation: int
) -> None:
    path = tmp_path / f"a{suffix}"
    exif = Pillow.Exif()
    if orientation:
        exif[0x0112] = orientation
    Pillow.fromarray(pixels).save(path, exif=exif)
    found, expected = read_pixels(path), read_image(path).pixels
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


def test_other_files_as_read_image_reads_them(tmp_path: Path) -> None:
    alpha = np.concatenate([COLOR, GREY[..., np.newaxis]], axis=-1)
    deep = GREY.astype(np.uint16) * 257
    files = {
        "alpha.png": alpha,
        "deep.png": deep,
        "a.bmp": COLOR,
        "b.tif": GREY,
        "bits.png": GREY > 9,
    }
    for name, pixels in files.items():
        Pillow.fromarray(pixels).save(tmp_path / name)
    keyed = Pillow.fromarray(GREY)
    keyed.save(tmp_path / "keyed.png", transparency=int(GREY[0, 0]))
    indexed = Pillow.fromarray(COLOR).quantize(5)
    indexed.save(tmp_path / "indexed.png")
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_pixels(path), read_image(path).pixels, str(path))


def test_masks_as_stored(tmp_path: Path) -> None:
    indexed = Pillow.fromarray(GREY % 5)
    indexed.putpalette(list(range(15)))
    indexed.save(tmp_path / "indexed.png")
    np.testing.assert_array_equal(read_mask_values(tmp_path / "indexed.png"), GREY % 5)
    colors = stored_palette(tmp_path / "indexed.png")
    assert colors is not None
    assert colors[:5].ravel().tolist() == list(range(15))
    for name, pixels in {
        "grey.png": GREY,
        "deep.png": GREY.astype(np.uint16) * 3,
        "bits.png": GREY > 100,
        "color.png": COLOR,
        "color.tif": COLOR,
        "grey.tif": GREY,
        "grey.bmp": GREY,
    }.items():
        Pillow.fromarray(pixels).save(tmp_path / name)
        np.testing.assert_array_equal(read_mask_values(tmp_path / name), pixels, name)
    assert stored_palette(tmp_path / "grey.png") is None
    np.save(tmp_path / "a.npy", GREY.astype(np.int64))
    np.testing.assert_array_equal(read_mask_values(tmp_path / "a.npy"), GREY)


def test_truncated_at_any_place(tmp_path: Path) -> None:
    for suffix, mask in ((".png", True), (".png", False), (".jpg", False)):
        whole = tmp_path / f"whole{suffix}"
        Pillow.fromarray(GREY).save(whole)
        content = whole.read_bytes()
        path = tmp_path / f"part{suffix}"
        for length in range(0, len(content) - 20, 7):
            path.write_bytes(content[:length])
            with pytest.raises(InputError, match=r"part\.(png|jpg)"):
                (read_mask_values if mask else read_pixels)(path)


@pytest.mark.parametrize("read", [read_pixels, read_mask_values])
def test_absent_or_too_large(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(InputError, match=r"absent\.png"):
        read(tmp_path / "absent.png")
    path = tmp_path / "bomb.png"
    Pillow.fromarray(GREY).save(path)
    content = bytearray(path.read_bytes())
    side = int(MAX_PIXELS**0.5) + 1
    content[16:24] = side.to_bytes(4, "big") * 2
    import zlib

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bomb\.png is .* accepted are at most"):
        read(path)


def test_stacks_are_no_masks(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 4, 5), np.uint8))
    with pytest.raises(InputError, match=r"a\.npy holds masks of 3 x 4 x 5, accepted is one"):
        read_mask_values(tmp_path / "a.npy")
