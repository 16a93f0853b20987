from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.images import read_image
from segmint.methods.segment import segment
from segmint.reports import segment_page as module
from segmint.reports.result_pictures import read_results, result_pictures
from segmint.reports.segment_page import Asked, write_segment_page

FIVE_MEGABYTES = 5_000_000


def asked(**changes: Any) -> Asked:
    told: dict[str, Any] = {
        "words": ("segment", "photos", "--method", "felzenszwalb"),
        "method": "felzenszwalb",
        "options": {"scale": 300.0, "preset": None},
        "seed": 0,
    }
    return Asked(**{**told, **changes})


def write_result(folder: Path, name: str, pixels: np.ndarray) -> None:
    """A result of a photo that lies beside the folder."""
    photo = folder.parent / "photos" / f"{name}.png"
    photo.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(photo)
    image = read_image(photo)
    found = segment(image, "felzenszwalb")
    found.save(folder / name, image)


def noise(seed: int, height: int = 321, width: int = 481) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (height, width, 3)).astype(np.uint8)


def text_of(page: Path | None) -> str:
    assert page is not None
    return html.unescape(page.read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small results."""
    for number in (9, 10, 11):
        write_result(tmp_path / "out", f"photo{number}", noise(number, 24, 36))
    return tmp_path / "out"


def test_what_a_killed_process_left_is_no_result(folder: Path) -> None:
    (folder / "photo9").rename(folder / ".partial-photo9")
    assert [result.name for result in read_results(folder)] == ["photo10", "photo11"]


def test_every_result_is_shown_in_natural_order(folder: Path) -> None:
    text = text_of(write_segment_page(folder, asked()))
    assert re.findall(r"<figcaption>(photo\d+):", text) == ["photo9", "photo10", "photo11"]
    assert text.count('class="slider"') == 3
    assert "3 images by felzenszwalb." in text
    counts = [result.components for result in read_results(folder)]
    assert [f"{count:,} component" in text for count in counts] == [True] * 3
    assert "segmint segment photos --method felzenszwalb" in text
    assert "36 x 24" in text
    assert "Unfinished" not in text


def test_pictures_are_the_image_and_its_overlay(folder: Path) -> None:
    (first, *_) = read_results(folder)
    photo, overlay = result_pictures(folder, first, longest_side=500)
    assert np.array_equal(photo, noise(9, 24, 36))
    assert np.array_equal(overlay, read_image(folder / "photo9" / "overlay.png").pixels)


def test_without_its_image_the_overlay_stands_alone(folder: Path) -> None:
    (folder.parent / "photos" / "photo9.png").unlink()
    Pillow.fromarray(noise(0, 12, 12)).save(folder.parent / "photos" / "photo10.png")
    text = text_of(write_segment_page(folder, asked()))
    assert text.count('class="slider"') == 1
    assert text.count("<img ") == 4


def test_the_slice_of_a_stack_is_the_one_of_its_overlay(tmp_path: Path) -> None:
    pages = np.stack([noise(seed, 24, 36)[..., 0] for seed in range(5)])
    tifffile.imwrite(tmp_path / "stack.tif", pages, photometric="minisblack")
    image = read_image(tmp_path / "stack.tif", pages="stack")
    found = segment(image, "felzenszwalb")
    found.save(tmp_path / "out" / "stack", image)
    (result,) = read_results(tmp_path / "out")
    photo, overlay = result_pictures(tmp_path / "out", result, longest_side=500)
    assert photo.shape == overlay.shape == (24, 36, 3)
    slices = [np.repeat(page[..., np.newaxis], 3, axis=2) for page in pages]
    nearest = min(range(5), key=lambda index: np.abs(photo.astype(int) - slices[index]).mean())
    close = [np.corrcoef(overlay.mean(axis=2).ravel(), page.ravel())[0, 1] for page in pages]
    assert nearest == int(np.argmax(close))


def test_what_failed_and_what_is_left_is_told(folder: Path) -> None:
    failures = ("photos/2.png is not an image but text: remove it",)
    text = text_of(write_segment_page(folder, asked(failures=failures, untried=7)))
    assert "<h2>What failed</h2>" in text
    assert failures[0] in text
    assert "Unfinished. The same command goes on with the 7 images that are left." in text


def test_results_of_other_options_are_counted(folder: Path) -> None:
    text = text_of(write_segment_page(folder, asked(seed=5)))
    assert "3 images of the folder were made with other options." in text


def test_folders_that_are_no_results_are_passed_over(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "photo9" / "result.json").write_text("{")
    assert [result.name for result in read_results(folder)] == ["photo10", "photo11"]


def test_an_empty_folder_has_no_page(tmp_path: Path) -> None:
    assert write_segment_page(tmp_path, asked(failures=("a",))) is None
    assert list(tmp_path.iterdir()) == []


def test_of_many_results_an_even_sample_is_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SHOWN", 2)
    monkeypatch.setattr(module, "MOST_LISTED", 1)
    text = text_of(write_segment_page(folder, asked()))
    assert "2 of 3 images, at equal steps by name." in text
    assert re.findall(r"<figcaption>(photo\d+):", text) == ["photo9", "photo11"]
    assert "2 images more are not listed." in text


def test_a_command_of_a_thousand_files_is_cut_short(folder: Path) -> None:
    words = ("segment", *(f"photos/{index}.png" for index in range(1000)), "--quiet")
    text = text_of(write_segment_page(folder, asked(words=words)))
    line = re.findall(r"<pre><code>(.*?)</code></pre>", text)[0]
    assert line.startswith("segmint segment photos/0.png photos/1.png")
    assert line.endswith("photos/999.png --quiet")
    assert " ... " in line
    assert len(line) < 1100


def test_fifty_photos_of_noise_stay_below_five_megabytes(tmp_path: Path) -> None:
    write_result(tmp_path / "out", "0", noise(0))
    (record,) = (tmp_path / "out" / "0").glob("result.json")
    for number in range(1, 50):
        place = tmp_path / "out" / str(number)
        place.mkdir()
        photo = tmp_path / "photos" / f"{number}.png"
        Pillow.fromarray(noise(number)).save(photo, compress_level=0)
        told = record.read_text().replace("photos/0.png", f"photos/{number}.png")
        (place / "result.json").write_text(told)
        (place / "labels.png").touch()
        Pillow.fromarray(noise(1000 + number)).save(place / "overlay.png", compress_level=0)
    page = write_segment_page(tmp_path / "out", asked())
    assert page is not None
    assert page.stat().st_size < FIVE_MEGABYTES
    assert text_of(page).count('class="slider"') == 50
