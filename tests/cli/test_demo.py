from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from segmint.cli import run
from segmint.datasets.synthetic import draw_shapes
from segmint.methods.storage import load_segmentation
from segmint.reports import tour

SEED = 3
LARGEST_PAGE = 5_000_000


def small_photo(name):
    height, width = 48, 60 + len(name)
    return draw_shapes(height, width, shapes=5, noise=6, seed=len(name))[0]


class Links(HTMLParser):
    """Everything that a page could make a browser ask for."""

    def __init__(self, html):
        super().__init__()
        self.links, self.scripts = [], 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.links += [value for name, value in attributes if name in ("src", "href", "srcset")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tour on tiny pictures: its folder, the page's path, and what it told."""
    folder = tmp_path_factory.mktemp("demo") / "tour"
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tour, "read_photo", small_photo)
        patch.setattr(tour, "SHAPES", {"height": 48, "width": 64, "shapes": 4})
        report = tour.make_tour(folder, seed=SEED, tell=told.append)
    return folder, report, told


@pytest.fixture
def quick(monkeypatch):
    """The command with a tour that only writes its page."""

    def make_tour(folder, *, seed, tell):
        if tell is not None:
            tell("[1/1] a chapter")
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / tour.REPORT
        report.write_text(f"seed {seed}")
        return report

    monkeypatch.setattr(tour, "make_tour", make_tour)


def test_page_holds_all_chapters_and_leaves_its_file_for_nothing(made):
    _, report, _ = made
    html = report.read_text(encoding="utf-8")
    page = Links(html)
    assert report.stat().st_size < LARGEST_PAGE
    assert page.scripts == 0
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert html.count("<h2>") == 6
    assert html.count("data:image/gif") == 1
    for method in (*tour.SCORED_METHODS, "blank"):
        assert f'<th scope="row">{method}</th>' in html


def test_every_segmentation_is_an_ordinary_result(made):
    folder, _, _ = made
    names = {result.name for result in (folder / "results").iterdir()}
    expected = {*tour.UNLABELLED_PHOTOS, "tissue", "tissue-3", "tissue-6", "tissue-12"}
    expected |= {"coffee-clustering", "cat-scribbles"}
    assert names == expected | {f"made-up-{method}" for method in tour.SCORED_METHODS}
    for name in names:
        segmentation, image = load_segmentation(folder / "results" / name)
        assert segmentation.seed == SEED
        assert image is not None
        assert segmentation.labels.shape == image.pixels.shape[:2]
    for components in tour.RECUTS:
        segmentation, _ = load_segmentation(folder / "results" / f"tissue-{components}")
        assert segmentation.components == components
    assert (folder / "results" / "coffee-clustering" / "progress.gif").read_bytes()[:3] == b"GIF"


def test_scribbled_pixels_keep_their_ids_and_no_id_is_added(made):
    folder, _, _ = made
    segmentation, image = load_segmentation(folder / "results" / "cat-scribbles")
    strokes = tour.draw_strokes(image.height, image.width)
    assert np.unique(segmentation.labels).tolist() == [0, 1]
    marked = strokes != 255
    assert np.array_equal(segmentation.labels[marked], strokes[marked])


def test_the_scores_of_the_page_are_those_that_evaluate_prints(made, capsys):
    folder, report, _ = made
    prediction = str(folder / "results" / "made-up-kmeans")
    mask = str(folder / "pictures" / "made-up-mask.png")
    assert run(["evaluate", prediction, mask, "--json", "--quiet"]) == 0
    scores = {row["name"]: row["value"] for row in json.loads(capsys.readouterr().out)["scores"]}
    row = report.read_text(encoding="utf-8").split('<th scope="row">kmeans</th>')[1].split("</tr>")
    for score in tour.SCORES:
        assert f">{scores[score.name]:.3f}<" in row[0]


def test_progress_says_which_chapter_is_worked_on(made):
    _, _, told = made
    assert [line[:5] for line in told] == ["[1/5]", "[2/5]", "[3/5]", "[4/5]", "[5/5]"]


def test_last_line_names_the_report(quick, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["demo", "--seed", "5"]) == 0
    output, errors = capsys.readouterr()
    report = Path(output.splitlines()[-1].rpartition(" ")[2])
    assert report.read_text() == "seed 5"
    assert report.parent.name == "segmint-demo"
    assert errors == "[1/1] a chapter\n"


def test_quiet_prints_the_last_line_only(quick, tmp_path, capsys):
    assert run(["demo", "--out", str(tmp_path / "tour"), "--quiet"]) == 0
    output, errors = capsys.readouterr()
    assert len(output.splitlines()) == 1
    assert errors == ""


def test_a_folder_in_use_is_left_alone_without_overwrite(quick, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert run(["demo", "--out", str(tmp_path)]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors == (f"segmint: {tmp_path} is there already: pass --overwrite or another --out\n")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_stopped_tour_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(tour, "make_tour", stop)
    assert run(["demo", "--out", str(tmp_path)]) == 1
    assert "--overwrite" in capsys.readouterr().err


def test_overwrite_keeps_other_files(quick, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert run(["demo", "--out", str(tmp_path), "--overwrite"]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mine.txt", tour.REPORT]


def test_a_file_in_place_of_the_folder_is_refused(quick, tmp_path, capsys):
    (tmp_path / "tour").write_text("")
    assert run(["demo", "--out", str(tmp_path / "tour"), "--overwrite"]) == 2
    assert "is a file" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "4294967296"])
def test_a_seed_out_of_range_is_refused(quick, tmp_path, seed, capsys):
    assert run(["demo", "--out", str(tmp_path / "tour"), "--seed", seed]) == 2
    assert "--seed" in capsys.readouterr().err
