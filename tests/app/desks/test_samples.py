from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import segmint
from segmint.app.desks.samples import Sample, samples, thumbnail, write_sample_stack

ALL = samples()


def test_names_are_told_apart() -> None:
    assert len({sample.name for sample in ALL}) == len(ALL) > 1
    for sample in ALL:
        assert Path(sample.name).name == sample.name
        assert sample.caption
        assert sample.credit


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
def test_each_is_an_image_that_segmint_reads(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / sample.name
    sample.write(path)
    image = segmint.read_image(path)
    assert image.is_stack == (sample.path is None)
    assert min(image.pixels.shape[-3:-1]) >= 128


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
def test_thumbnails_are_small(sample: Sample) -> None:
    content = thumbnail(sample)
    assert len(content) < 10_000
    with Pillow.open(io.BytesIO(content)) as picture:
        assert picture.format == "JPEG"
        assert max(picture.size) == 96
        assert np.ptp(np.asarray(picture)) > 100


def test_the_stack_is_a_volume_and_always_the_same(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.tif", "b.tif")]
    for path in paths:
        write_sample_stack(path)
    first, second = (segmint.read_image(path).pixels for path in paths)
    assert first.shape == (12, 128, 128, 1)
    assert np.array_equal(first, second)
    planes = first[..., 0].astype(np.float64).reshape(12, -1)
    alike = np.corrcoef(planes)
    assert alike[0, 1] > alike[0, 11]  # neighbors show the same heart


def test_what_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert [sample.name for sample in samples()] == ["heart.tif"]


def test_listing_imports_nothing_heavy() -> None:
    program = (
        "import sys; from segmint.app.desks.samples import samples; samples();"
        "print([name for name in ('skimage', 'torch', 'PIL', 'numpy') if name in sys.modules])"
    )
    call = [sys.executable, "-c", program]
    found = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    assert found == "[]\n"
