from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.cli import run as run_command
from segmint.methods.segmentation import Segmentation

Succeeds = Callable[..., tuple[str, str]]
Partly = Callable[..., tuple[str, list[str], list[str]]]

FAST = ("--method", "felzenszwalb", "--min-size", "4")
PAGE = Path("segmint-out/report.html")


@pytest.fixture
def photos(here: Path, photo: np.ndarray) -> Path:
    (here / "photos").mkdir()
    for name in ("1.png", "2.png", "10.png"):
        Pillow.fromarray(photo).save(here / "photos" / name)
    return here


def shown() -> list[str]:
    """Names of the results on the page."""
    return re.findall(r"<figcaption>(\w+):", PAGE.read_text(encoding="utf-8"))


def test_a_folder_of_images_gets_a_page(photos: Path, succeeds: Succeeds) -> None:
    output, errors = succeeds("segment", "photos", *FAST)
    assert output == "3 segmented: results in segmint-out, report in segmint-out/report.html\n"
    assert len(errors.splitlines()) == 3
    assert shown() == ["1", "2", "10"]
    assert "segmint segment photos --method felzenszwalb --min-size 4" in PAGE.read_text()


def test_one_image_gets_none(here: Path, succeeds: Succeeds) -> None:
    assert succeeds("segment", "good.png", *FAST)[0] == "1 segmented: results in segmint-out\n"
    assert not PAGE.exists()


def test_none_is_written_where_none_is_wanted(photos: Path, succeeds: Succeeds) -> None:
    output, _ = succeeds("segment", "photos", *FAST, "--skip-report")
    assert output == "3 segmented: results in segmint-out\n"
    assert not PAGE.exists()


def test_json_names_the_page(photos: Path, succeeds: Succeeds) -> None:
    told = json.loads(succeeds("segment", "photos", *FAST, "--json", "--quiet")[0])
    assert told["report"] == str(PAGE)
    other = succeeds("segment", "photos", *FAST, "--json", "--quiet", "--skip-report")[0]
    assert "report" not in json.loads(other)


def test_results_of_earlier_calls_are_on_the_page_too(photos: Path, succeeds: Succeeds) -> None:
    succeeds("segment", "photos/1.png", *FAST)
    output, _ = succeeds("segment", "photos/2.png", "photos/10.png", *FAST)
    assert output.endswith("report in segmint-out/report.html\n")
    assert shown() == ["1", "2", "10"]
    output, _ = succeeds("segment", "photos", *FAST)
    assert output.startswith("0 segmented, 3 skipped: results in segmint-out, report in ")
    assert shown() == ["1", "2", "10"]


def test_a_file_that_failed_is_on_the_page(photos: Path, partly: Partly) -> None:
    (photos / "photos" / "2.png").write_text("not a picture")
    output, _, complaints = partly("segment", "photos", *FAST)
    assert output.startswith("2 segmented, 1 failed: results in segmint-out, report in ")
    assert complaints[0].removeprefix("segmint: ").split(":")[0] in PAGE.read_text()
    assert shown() == ["1", "10"]


def test_an_interrupted_call_leaves_a_page(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save, calls = Segmentation.save, []

    def stop(self: Segmentation, *given: object, **named: object) -> Path:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return save(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Segmentation, "save", stop)
    assert run_command(["segment", "photos", *FAST]) == 1
    output, errors = capsys.readouterr()
    assert output.startswith("1 segmented, 2 not tried: results in segmint-out, report in ")
    assert "run the same command again to go on" in errors
    assert shown() == ["1"]
    assert "Unfinished. The same command goes on with the 2 images" in PAGE.read_text()


def test_a_page_that_cannot_be_written_costs_no_result(photos: Path, succeeds: Succeeds) -> None:
    PAGE.parent.mkdir()
    PAGE.mkdir()
    output, errors = succeeds("segment", "photos", *FAST)
    assert output == "3 segmented: results in segmint-out\n"
    assert "note: there is no report (cannot write segmint-out/report.html" in errors
