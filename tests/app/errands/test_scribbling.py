"""A file of scribbles that a visitor loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.app.errands.scribbling import read_scribbles
from segmint.errors import InputError
from segmint.images.masks import read_masks


class Silent:
    is_stopped = False

    def progress(self, done: int, total: int | None, text: str = "") -> None: ...

    def frame(self, labels: bytes, iteration: int, of: int | None) -> None: ...


def read(path: Path, width: int = 8, height: int = 6) -> list[int]:
    out = str(path.with_name("out.png"))
    found = read_scribbles(Silent(), path=str(path), width=width, height=height, out=out)
    ids: list[int] = found["ids"]
    return ids


@pytest.mark.parametrize("kind", ["grey", "palette", "16-bit", "npy"])
def test_ids_stay_as_they_are(tmp_path: Path, kind: str) -> None:
    ids = np.full((6, 8), 255, np.uint8)
    ids[0], ids[3, 2:5] = 0, 19
    path = tmp_path / ("marks.npy" if kind == "npy" else "marks.png")
    if kind == "npy":
        np.save(path, ids)
    else:
        picture = Pillow.fromarray(ids.astype(np.uint16) if kind == "16-bit" else ids)
        if kind == "palette":
            picture.putpalette(bytes(range(256)) * 3)
        picture.save(path)
    assert read(path) == [0, 19]
    written = read_masks(tmp_path / "out.png", ignore_index=None, colors=False)[0]
    np.testing.assert_array_equal(written, ids)


def test_one_id_may_be_added_to(tmp_path: Path) -> None:
    Pillow.fromarray(np.full((6, 8), 3, np.uint8)).save(tmp_path / "marks.png")
    assert read(tmp_path / "marks.png") == [3]


def test_of_another_size(tmp_path: Path) -> None:
    Pillow.fromarray(np.zeros((5, 8), np.uint8)).save(tmp_path / "marks.png")
    with pytest.raises(InputError) as refused:
        read(tmp_path / "marks.png")
    assert str(refused.value) == (
        "scribbles have shape (5, 8) and the image (6, 8): draw them on an image of the same size"
    )


@pytest.mark.parametrize("kind", ["text", "empty", "color", "photo", "many"])
def test_what_is_no_file_of_ids(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "marks.png"
    rng = np.random.default_rng(0)
    if kind == "text":
        path.write_text("no picture")
    elif kind == "empty":
        path.touch()
    elif kind == "color":
        Pillow.fromarray(rng.integers(0, 255, (6, 8, 3), np.uint8)).save(path)
    elif kind == "photo":
        Pillow.fromarray(np.zeros((6, 8), np.uint8)).save(path, format="JPEG")
    else:
        Pillow.fromarray(np.full((6, 8), 20, np.uint8)).save(path)
    with pytest.raises(InputError):
        read(path)
    assert not (tmp_path / "out.png").exists()
