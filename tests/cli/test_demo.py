from __future__ import annotations

import html
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from segmint.cli import run
from segmint.datasets.prepared_folder import prepared_images
from segmint.datasets.synthetic import draw_shapes
from segmint.images import read_image
from segmint.methods.storage import load_segmentation
from segmint.metrics import confusion
from segmint.recipes.run import Run
from segmint.recipes.scoring import score_run
from segmint.recipes.splits import open_again
from segmint.reports import tour
from segmint.reports.tour import cells, heart, scores, scribbles, setting, unlabelled
from segmint.reports.tour.heart_pictures import square_around

SEED = 3
LARGEST_PAGE = 4_000_000
SHORTEST_FIT = {"lam": 1, "max_epochs": 2, "features": 2, "levels": 1}
SHORTEST_TRAINING = {
    "dataset": "folder",
    "objective": "cross_entropy + dice",
    "features": 2,
    "levels": 1,
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 2,
}


def small_photo(name):
    height, width = 48, 60 + len(name)
    return draw_shapes(height, width, shapes=5, noise=6, seed=len(name))[0]


class Links(HTMLParser):
    """Everything that a page could make a browser ask for."""

    def __init__(self, text):
        super().__init__()
        self.links, self.scripts = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.links += [value for name, value in attributes if name in ("src", "href", "srcset")]


def chapter_of(report, title):
    text = report.read_text(encoding="utf-8")
    (chapter,) = (part for part in text.split("<section") if f"<h2>{title}" in part)
    return chapter


def heart_chapter_of(report):
    return chapter_of(report, "A made-up heart")


def cells_chapter_of(report):
    return chapter_of(report, "A U-Net on made-up cells")


def line_of(chapter, command):
    """The line of a chapter that calls a command."""
    lines = re.findall(r"<code>(segmint [^<]*)</code>", chapter)
    (line,) = (line for line in lines if line.split()[1] == command)
    return shlex.split(html.unescape(line))[1:]


def row_of(chapter, name):
    return chapter.split(f'<th scope="row">{name}</th>')[1].split("</tr>")[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tour on tiny pictures: its folder, the page's path, and what it told."""
    folder = tmp_path_factory.mktemp("demo") / "tour"
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setting, "read_photo", small_photo)
        patch.setattr(scores, "SHAPES", {"height": 48, "width": 64, "shapes": 4})
        patch.setattr(heart, "TRAINING_PATIENTS", (101,))
        patch.setattr(heart, "HEARTS", {"slices": 1, "size": (160, 160)})
        patch.setattr(heart, "SHORT_FIT", SHORTEST_FIT)
        fits = {"em-gmm": {}, "em-svgmm": {}, "deepg": SHORTEST_FIT, "deepsvg": SHORTEST_FIT}
        patch.setattr(heart, "MIXTURES", fits)
        drawing = {"train": 3, "val": 3, "height": 64, "width": 64, "cells": 8}
        patch.setattr(cells, "PICTURES", drawing)
        patch.setattr(cells, "TRAINING", SHORTEST_TRAINING)
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
    text = report.read_text(encoding="utf-8")
    page = Links(text)
    assert report.stat().st_size < LARGEST_PAGE
    assert page.scripts == 0
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert text.count("<h2>") == 8
    assert text.count("data:image/gif") == 1
    for method in (*scores.SCORED_METHODS, "blank", *heart.MIXTURES):
        assert f'<th scope="row">{method}</th>' in text


def test_every_segmentation_is_an_ordinary_result(made):
    folder, _, _ = made
    names = {result.name for result in (folder / "results").iterdir()}
    expected = {*unlabelled.UNLABELLED_PHOTOS, "tissue", "tissue-3", "tissue-6", "tissue-12"}
    expected |= {"coffee-clustering", "cat-scribbles"}
    expected |= {f"made-up-{method}" for method in scores.SCORED_METHODS}
    assert names == expected | {f"heart-{method}" for method in heart.MIXTURES}
    for name in names:
        segmentation, image = load_segmentation(folder / "results" / name)
        assert segmentation.seed == SEED
        assert image is not None
        assert segmentation.labels.shape == image.pixels.shape[:2]
    for components in unlabelled.RECUTS:
        segmentation, _ = load_segmentation(folder / "results" / f"tissue-{components}")
        assert segmentation.components == components
    assert (folder / "results" / "coffee-clustering" / "progress.gif").read_bytes()[:3] == b"GIF"


def test_scribbled_pixels_keep_their_ids_and_no_id_is_added(made):
    folder, _, _ = made
    segmentation, image = load_segmentation(folder / "results" / "cat-scribbles")
    strokes = scribbles.draw_strokes(image.height, image.width)
    assert np.unique(segmentation.labels).tolist() == [0, 1]
    marked = strokes != 255
    assert np.array_equal(segmentation.labels[marked], strokes[marked])


def test_the_scores_of_the_page_are_those_that_evaluate_prints(made, capsys):
    folder, report, _ = made
    prediction = str(folder / "results" / "made-up-kmeans")
    mask = str(folder / "pictures" / "made-up-mask.png")
    assert run(["evaluate", prediction, mask, "--json", "--quiet"]) == 0
    printed = {row["name"]: row["value"] for row in json.loads(capsys.readouterr().out)["scores"]}
    row = row_of(report.read_text(encoding="utf-8"), "kmeans")
    for score in scores.SCORES:
        assert f">{printed[score.name]:.3f}<" in row


def test_made_up_hearts_lie_as_myops_2020_does(made):
    folder, _, _ = made
    files = {path.relative_to(folder / "hearts") for path in (folder / "hearts").rglob("*.nii.gz")}
    assert {path.as_posix() for path in files} == {
        f"{name.format(patient)}.nii.gz"
        for patient in (101, 109)
        for name in (
            "train25/myops_training_{}_C0",
            "train25/myops_training_{}_DE",
            "train25/myops_training_{}_T2",
            "train25_myops_gd/myops_training_{}_gd",
        )
    }


def test_the_slice_of_the_heart_is_not_among_those_that_gave_the_means(made):
    folder, _, _ = made
    record = json.loads((folder / "prepared" / "dataset.json").read_text())
    assert record["splits"] == {"train": [101], "test": [109]}
    assert all(file.startswith("train/") for file in record["statistics_files"])
    assert (folder / "prepared" / "mu_data.csv").is_file()
    _, image = load_segmentation(folder / "results" / "heart-deepsvg")
    assert [image.source] == prepared_images(folder / "prepared", "test")


def test_the_page_shows_the_heart_with_the_names_of_its_sequences_and_classes(made):
    _, report, _ = made
    chapter = heart_chapter_of(report)
    for title in ("bSSFP", "T2", "LGE", "truth", "em-gmm", "deepsvg", "entropy of deepsvg"):
        assert f'<p class="label">{title}</p>' in chapter
    for name in ("blood pool", "myocardium", "edema", "scar"):
        assert f'<th scope="col">{name}</th>' in chapter
    assert chapter.count("data:image/png") == 8
    assert chapter.count("<svg") == 1
    assert "docs/benchmarks.md" in chapter


def test_the_dice_of_the_page_is_that_of_the_saved_labels(made):
    folder, report, _ = made
    chapter = heart_chapter_of(report)
    for method in heart.MIXTURES:
        segmentation, image = load_segmentation(folder / "results" / f"heart-{method}")
        dice = confusion(segmentation.labels, image.mask, classes=4).dice
        cells = re.findall(r"<td>(?:<strong>)?([\d.\u2013]+)", row_of(chapter, method))
        assert cells[:4] == [f"{value:.3f}" for value in dice]
        assert cells[4] == f"{segmentation.history[-1]['nll']:.2f}"
        assert segmentation.names == dict(enumerate(image.class_names))


def test_each_heart_keeps_its_maps_and_its_row_of_panels(made):
    folder, _, _ = made
    for method in heart.MIXTURES:
        result = folder / "results" / f"heart-{method}"
        assert {"panels.png", "mixture.csv", "entropy.tif"} <= {
            path.name for path in result.iterdir()
        }


@pytest.mark.parametrize("command", ["data", "segment"])
def test_commands_of_the_page_run_as_they_stand(made, command, tmp_path, monkeypatch, capsys):
    _, report, _ = made
    monkeypatch.chdir(tmp_path)
    assert run(line_of(heart_chapter_of(report), command)) == 0


def test_the_cells_are_those_that_the_run_learned_from_and_was_scored_on(made):
    folder, report, _ = made
    learned = Run(folder / "cells-run")
    assert learned.record["seed"] == SEED
    assert learned.record["options"]["network"]["features"] == 2
    val = open_again(learned)
    confusion = score_run(learned, val).confusion
    row = re.findall(r"<td>(?:<strong>)?([^<]*)", row_of(cells_chapter_of(report), "U-Net"))
    assert row[1:] == [f"{value:.3f}" for value in confusion.intersection_over_union]
    found = np.concatenate([learned.predict(sample.image).ravel() > 0 for sample in val])
    truth = np.concatenate([sample.mask.ravel() > 0 for sample in val])
    assert row[0] == f"{(found & truth).sum() / (found | truth).sum():.3f}"


def test_the_threshold_of_the_page_is_otsus(made):
    folder, report, _ = made
    shares = []
    for sample in open_again(Run(folder / "cells-run")):
        values = sample.image[..., 0].ravel().astype(float)
        levels = np.arange(values.min(), values.max())
        split = [values <= level for level in levels]
        # Otsu (1979): the level with the greatest variance between the two parts.
        between = [
            low.mean() * (~low).mean() * (values[low].mean() - values[~low].mean()) ** 2
            for low in split
        ]
        shares.append((~split[int(np.argmax(between))], sample.mask.ravel() > 0))
    found, truth = (np.concatenate(parts) for parts in zip(*shares, strict=True))
    (shown,) = re.findall(r"<td>(0\.\d+)", row_of(cells_chapter_of(report), "Otsu&#39;s threshold"))
    assert float(shown) == pytest.approx((found & truth).sum() / (found | truth).sum(), abs=0.01)


def test_the_cells_stand_beside_their_truth_and_their_prediction(made):
    _, report, _ = made
    chapter = cells_chapter_of(report)
    for label in ("image", "truth", "prediction"):
        assert chapter.count(f'<p class="label">{label}</p>') == 3
    assert chapter.count('<figure class="chart">') == 2
    assert "round cell</li>" in chapter


@pytest.mark.parametrize("command", ["train", "report", "predict"])
def test_commands_of_the_cells_run_as_they_stand(made, command, tmp_path, monkeypatch, capsys):
    _, report, _ = made
    monkeypatch.chdir(tmp_path)
    assert run(line_of(cells_chapter_of(report), command)) == 0


def test_the_square_around_a_region_holds_it_and_stays_inside(made):
    folder, _, _ = made
    image = read_image(prepared_images(folder / "prepared", "test")[0])
    rows, columns = square_around(image.region, margin=200)
    assert image.region[rows, columns].shape == image.region.shape
    rows, columns = square_around(image.region, margin=0)
    assert image.region[rows, columns].sum() == image.region.sum()
    assert rows.stop - rows.start == columns.stop - columns.start


def test_progress_says_which_chapter_is_worked_on(made):
    _, _, told = made
    assert [line[:5] for line in told] == [f"[{number}/7]" for number in range(1, 8)]


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
