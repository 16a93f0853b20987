from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.io
from PIL import Image as Pillow

from segmint.cli import run
from segmint.images.labels import write_labels

TRUTH = np.array([[1, 1, 2, 2]] * 3, dtype=np.uint8)
SPLIT = np.array([[1, 2, 2, 2]] * 3, dtype=np.uint8)
BLANK = np.zeros((3, 4), dtype=np.uint8)
# SPLIT against TRUTH: the best IoU of class 1 is 3/6, of class 2 it is 6/9.
SPLIT_OVERLAP = (1 / 2 + 2 / 3) / 2
REFERENCE_DIGITS = 6e-5


def save_png(path, labels, *, palette=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Pillow.fromarray(labels)
    if palette:
        picture.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
    picture.save(path)


def save_berkeley(path, masks):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = np.empty((1, len(masks)), dtype=object)
    for place, mask in enumerate(masks):
        cells[0, place] = {"Segmentation": mask.astype(np.uint16), "Boundaries": mask > 1}
    scipy.io.savemat(path, {"groundTruth": cells})


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two predictions, one right and one not, and their masks: a palette one and a grey one."""
    monkeypatch.chdir(tmp_path)
    save_png(tmp_path / "labels" / "cat.png", TRUTH * 3)
    save_png(tmp_path / "labels" / "dog.png", SPLIT)
    save_png(tmp_path / "masks" / "cat_mask.png", TRUTH, palette=True)
    save_png(tmp_path / "masks" / "dog.png", TRUTH)
    save_png(tmp_path / "masks" / "unasked.png", TRUTH)
    return tmp_path


def evaluated(capsys, *arguments):
    """The parsed answer of a command that succeeds."""
    assert run(["evaluate", *arguments, "--json", "--quiet"]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    return json.loads(output)


def values(answer):
    return {row["name"]: row["value"] for row in answer["scores"]}


def refused(capsys, code, *arguments):
    """The one sentence of a command that fails."""
    assert run(["evaluate", *arguments, "--quiet"]) == code
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("segmint: ")
    assert errors.count("\n") == 1
    return errors


def cells(output):
    """Title of each table row to its other cells."""
    lines = output.partition("\n\n")[0].splitlines()[2:]
    return {line[:27].strip(): line[27:].split() for line in lines}


def test_table_shows_each_score_relabelled_and_as_given(folders, capsys):
    assert run(["evaluate", "labels", "masks"]) == 0
    output, errors = capsys.readouterr()
    table = cells(output)
    overlap = f"{(1 + SPLIT_OVERLAP) / 2:.4f}"
    assert table["best-overlap mIoU"][:2] == [overlap, overlap]
    assert table["best-overlap mIoU"][2:] == ["4", "segments", "of", "2", "images"]
    assert table["covering"][2:] == ["2", "images"]
    assert table["mean IoU"][1:] == ["2", "classes"]
    assert table["accuracy"] == [f"{21 / 24:.4f}", "pixels"]
    assert "matching    hungarian: one label a class" in output
    assert "ignored     pixels whose mask value is 255" in output
    assert output.splitlines()[-1].startswith("2 images scored, 0.")
    assert errors.splitlines() == ["[1/2] cat", "[2/2] dog"]


def test_pieces_of_a_label_count_apart_only_when_relabelled(tmp_path, capsys):
    apart = np.array([[1, 2, 1]], dtype=np.uint8)
    save_png(tmp_path / "labels.png", apart)
    save_png(tmp_path / "mask.png", apart)
    pair = [str(tmp_path / "labels.png"), str(tmp_path / "mask.png")]
    both = values(evaluated(capsys, *pair))
    assert both["best_overlap_all"] == pytest.approx((1 / 2 + 1) / 2)
    assert both["best_overlap_all_as_given"] == 1
    yes = values(evaluated(capsys, *pair, "--relabel", "yes"))
    no = values(evaluated(capsys, *pair, "--relabel", "no"))
    assert yes.keys() | no.keys() == both.keys()
    assert "best_overlap_all_as_given" not in yes
    assert "best_overlap_all" not in no
    run(["evaluate", *pair, "--relabel", "no", "--quiet"])
    assert "relabelled" not in capsys.readouterr().out


def test_several_annotators_are_all_used(tmp_path, capsys):
    save_png(tmp_path / "labels" / "a.png", TRUTH)
    save_berkeley(tmp_path / "truth" / "a.mat", [TRUTH, BLANK + 1, TRUTH])
    pair = [str(tmp_path / "labels"), str(tmp_path / "truth")]
    answer = evaluated(capsys, *pair, "--relabel", "yes")
    found = values(answer)
    assert found["best_overlap_all"] == pytest.approx((2 + 1 / 2 + 2) / 5)
    assert found["best_overlap_fine"] == 1
    assert found["best_overlap_coarse"] == pytest.approx(1 / 2)
    assert found["variation_of_information"] == pytest.approx((0 + 1 + 0) / 3)
    assert "mean_iou" not in found
    assert answer["classes"] == []
    assert run(["evaluate", *pair, "--quiet"]) == 0
    output = capsys.readouterr().out
    table = cells(output)
    assert table["best-overlap mIoU, coarse"][0] == "0.5000"
    assert table["Rand index (PRI)"][2:] == ["annotators", "of", "1", "image"]
    assert "fine        segments of the annotator who drew most" in output
    assert "ignored" not in output
    assert output.splitlines()[-1].startswith("1 image scored")


def test_perfect_predictions(tmp_path, capsys):
    for name, mask in (("a", TRUTH), ("b", SPLIT)):
        save_png(tmp_path / "labels" / f"{name}.png", 9 - mask)
        save_berkeley(tmp_path / "truth" / f"{name}.mat", [mask])
    answer = evaluated(capsys, str(tmp_path / "labels"), str(tmp_path / "truth"))
    for name, value in values(answer).items():
        assert value == (0 if name.startswith("variation") else 1), name


def test_result_folders_and_pixels_outside_a_region(tmp_path, capsys):
    labels = TRUTH.astype(np.int32)
    labels[:, 0] = -1
    for name in ("cat", "dog"):
        (tmp_path / "out" / name).mkdir(parents=True)
        write_labels(tmp_path / "out" / name / "labels", labels)
        save_png(tmp_path / "masks" / f"{name}.png", TRUTH)
    answer = evaluated(capsys, str(tmp_path / "out"), str(tmp_path / "masks"))
    assert [image["image"] for image in answer["images"]] == ["cat", "dog"]
    assert values(answer)["accuracy"] == 1


@pytest.mark.parametrize(("value", "counted"), [("2", 3), ("none", 6), ("-1", 6)])
def test_ignored_value(tmp_path, capsys, value, counted):
    save_png(tmp_path / "labels.png", np.array([[1, 1, 1, 7, 7, 7]], dtype=np.uint8))
    save_png(tmp_path / "mask.png", np.array([[1, 1, 1, 2, 2, 1]], dtype=np.uint8))
    pair = [str(tmp_path / "labels.png"), str(tmp_path / "mask.png")]
    answer = evaluated(capsys, *pair, "--ignore-index", value)
    assert answer["ignore_index"] == (None if value == "none" else int(value))
    assert values(answer)["accuracy"] == pytest.approx({3: 3 / 4, 6: 5 / 6}[counted])


def test_notes_speak_of_options(tmp_path, capsys):
    for name in "abcde":
        save_png(tmp_path / "masks" / f"{name}.png", np.array([[0, 255]], dtype=np.uint8))
    assert run(["evaluate", str(tmp_path / "masks"), str(tmp_path / "masks"), "--quiet"]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert output.count("pass --ignore-index none if it is one") == 3
    assert "ignore_index" not in output
    assert "2 more notes: --json prints all" in output


def test_matching_none_takes_labels_for_classes(folders, capsys):
    found = values(evaluated(capsys, "labels", "masks", "--matching", "none"))
    assert found["accuracy"] == pytest.approx(9 / 24)


def test_json_schema(folders, capsys):
    answer = evaluated(capsys, "labels", "masks", "--relabel", "yes")
    assert list(answer) == [
        "predictions",
        "masks",
        "ignore_index",
        "relabel",
        "matching",
        "n_images",
        "scores",
        "classes",
        "notes",
        "images",
        "seconds_per_image",
        "failures",
    ]
    assert answer["n_images"] == 2
    assert answer["seconds_per_image"] > 0
    for row in answer["scores"]:
        assert row.keys() == {"name", "value", "protocol"}
        assert "relabelled" in row["protocol"] or "labels as given" in row["protocol"]
    assert [row["class"] for row in answer["classes"]] == [1, 2]
    assert answer["images"][0].keys() == {"image", *values(answer)}


def test_csv_has_a_row_for_each_image(folders, capsys):
    answer = evaluated(capsys, "labels", "masks", "--csv", "kept/scores.csv")
    with (folders / "kept" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["cat", "dog"]
    assert list(rows[0]) == ["image", *values(answer)]
    assert float(rows[0]["best_overlap_all"]) == 1
    assert float(rows[1]["best_overlap_all"]) == pytest.approx(SPLIT_OVERLAP)
    assert [path.name for path in (folders / "kept").iterdir()] == ["scores.csv"]


def test_csv_is_overwritten_only_when_asked(folders, capsys):
    (folders / "scores.csv").write_text("mine")
    assert "--overwrite" in refused(capsys, 2, "labels", "masks", "--csv", "scores.csv")
    assert (folders / "scores.csv").read_text() == "mine"
    assert run(["evaluate", "labels", "masks", "--csv", "scores.csv", "--overwrite"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("are in scores.csv")
    assert (folders / "scores.csv").read_text().startswith("image,best_overlap_all,")
    assert "is a folder" in refused(capsys, 2, "labels", "masks", "--csv", "masks", "--overwrite")


def test_nan_is_an_empty_cell_and_null(tmp_path, capsys):
    save_png(tmp_path / "labels" / "a.png", TRUTH)
    save_png(tmp_path / "masks" / "a.png", np.full_like(TRUTH, 255))
    pair = [str(tmp_path / "labels"), str(tmp_path / "masks")]
    answer = evaluated(capsys, *pair, "--csv", str(tmp_path / "scores.csv"))
    assert values(answer)["covering"] is None
    assert "no counted pixel" in answer["notes"][0]
    assert set((tmp_path / "scores.csv").read_text().splitlines()[1]) == {"a", ","}
    assert run(["evaluate", *pair, "--quiet"]) == 0
    assert "nan" in capsys.readouterr().out


def test_files_that_fail_are_named_and_do_not_stop_the_others(folders, capsys):
    (folders / "labels" / "ape.png").write_bytes(b"\x89PNG no more")
    save_png(folders / "masks" / "ape.png", TRUTH)
    save_png(folders / "labels" / "bee.png", TRUTH[:2])
    save_png(folders / "masks" / "bee.png", TRUTH)
    assert run(["evaluate", "labels", "masks"]) == 1
    output, errors = capsys.readouterr()
    assert output.splitlines()[-1].startswith("2 images scored, 2 failed, ")
    lines = errors.splitlines()
    assert lines[:2] == ["[1/4] ape: failed", "[2/4] bee: failed"]
    assert len(lines) == 6
    assert lines[4].startswith("segmint: labels/ape.png ")
    assert lines[5].startswith("segmint: labels/bee.png: the labels of bee are 2 x 4 ")
    assert run(["evaluate", "labels", "masks", "--json", "--quiet"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["n_images"] == 2
    assert len(answer["failures"]) == 2


def test_when_every_file_fails(folders, capsys):
    save_png(folders / "labels" / "cat.png", TRUTH[:1])
    pair = ["labels/cat.png", "masks/cat_mask.png"]
    assert "1 x 4 and the mask is 3 x 4" in refused(capsys, 1, *pair)
    assert run(["evaluate", *pair, "--json", "--quiet", "--csv", "scores.csv"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["n_images"], answer["scores"], len(answer["failures"])) == (0, [], 1)
    assert not (folders / "scores.csv").exists()


def test_what_cannot_be_paired_is_one_sentence(folders, capsys):
    (folders / "empty").mkdir()
    assert "does not exist" in refused(capsys, 1, "labels", "nowhere")
    assert "does not exist" in refused(capsys, 1, "nowhere", "masks")
    assert "no label map" in refused(capsys, 1, "empty", "masks")
    save_png(folders / "others" / "cow.png", TRUTH)
    assert "no prediction has a mask of its name" in refused(capsys, 1, "labels", "others")


def test_predictions_without_a_mask_are_told_and_the_rest_scored(folders, capsys):
    save_png(folders / "labels" / "emu.png", TRUTH)
    assert run(["evaluate", "labels", "masks", "--quiet"]) == 1
    output, errors = capsys.readouterr()
    assert errors == "segmint: emu has no mask in masks and is not scored: add its mask\n"
    assert output.splitlines()[-1].startswith("2 images scored, 1 failed")
    assert run(["evaluate", "labels", "masks", "--quiet", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["n_images"], len(answer["failures"])) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["labels"], "MASKS"),
        (["labels", "masks", "--relabel", "perhaps"], "both, no, yes"),
        (["labels", "masks", "--matching", "hungarain"], "did you mean 'hungarian'"),
        (["labels", "masks", "--ignore-index", "void"], "a whole number such as 255, or none"),
        (["labels", "masks", "--ignor-index", "3"], "--ignore-index"),
    ],
)
def test_usage_errors(folders, capsys, arguments, words):
    assert words in refused(capsys, 2, *arguments)


def test_stopping_shows_no_part_of_the_means(folders, capsys, monkeypatch):
    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("segmint.cli.evaluate.read_prediction", stop)
    assert "stopped after 0 of 2 images" in refused(capsys, 1, "labels", "masks")


@pytest.mark.parametrize("columns", ["80", "120"])
def test_lines_fit_the_terminal(folders, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert run(["evaluate", "labels", "masks"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80 + 20 * (columns == "120")


def program(arguments, folder):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_as_a_program_and_help_loads_nothing_heavy(folders):
    heavy = {"torch", "scipy", "skimage", "sklearn", "PIL", "matplotlib"}
    script = (
        "import sys; from segmint.cli import run; code = run(['evaluate', '--help']); "
        f"sys.exit(code or ', '.join({heavy!r} & set(sys.modules)) or 0)"
    )
    helped = program(["-c", script], folders)
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "--ignore-index" in helped.stdout
    done = program(["-m", "segmint", "evaluate", "labels", "masks", "--json"], folders)
    assert done.returncode == 0
    assert json.loads(done.stdout)["n_images"] == 2
    assert done.stderr.splitlines() == ["[1/2] cat", "[2/2] dog"]


@pytest.mark.shared_data
def test_blank_pictures_score_as_the_reference_says(shared_data, tmp_path, capsys):
    root = shared_data / "BSDS500" / "data"
    for path in (root / "images" / "test").glob("*.jpg"):
        with Pillow.open(path) as photo:
            Pillow.new("L", photo.size).save(tmp_path / f"{path.stem}.png")
    reference = {
        "best_overlap_all": 0.0560,
        "best_overlap_fine": 0.0324,
        "best_overlap_coarse": 0.1198,
        "rand_index": 0.2928,
        "variation_of_information": 2.3842,
        "covering": 0.2928,
    }
    answer = evaluated(capsys, str(tmp_path), str(root / "groundTruth" / "test"))
    assert answer["n_images"] == 20
    found = values(answer)
    for name, value in reference.items():
        assert found[name] == pytest.approx(value, abs=REFERENCE_DIGITS), name
