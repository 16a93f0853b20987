"""Collections by workers: what a user sees of them."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.images import read_labels

FAST = ("--method", "felzenszwalb", "--min-size", "4")
WORKERS = ("--workers", "2", "--threads", "1")
COUNT = 12


@pytest.fixture
def photos(here, photo) -> Path:
    """A folder of pictures that are not alike."""
    folder = here / "photos"
    folder.mkdir()
    random = np.random.default_rng(3)
    for number in range(COUNT):
        noise = random.integers(-20, 21, photo.shape)
        pixels = (np.roll(photo, number, axis=1) + noise).clip(0, 255).astype(np.uint8)
        Pillow.fromarray(pixels).save(folder / f"p{number}.png")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Every file of results, without what is measured and the manifest itself."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name.startswith(("manifest", "report")):
            continue
        content = path.read_bytes()
        if path.name == "result.json":
            record = json.loads(content)
            record.pop("seconds")
            content = json.dumps(record).encode()
        found[str(path.relative_to(folder))] = content
    return found


def states(folder: Path, name: str = "manifest.jsonl") -> dict[str, str]:
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines[1:]]
    names = [line["name"] for line in found]
    assert len(set(names)) == len(names)
    return {line["name"]: line["state"] for line in found}


class TestLocalWorkers:
    def test_same_files_as_the_command_itself(self, photos, succeeds):
        output, _ = succeeds("segment", photos, "--out", "two", *FAST, *WORKERS)
        assert output.startswith(f"{COUNT} segmented: results in two, states in two/manifest.jsonl")
        succeeds("segment", photos, "--out", "here", *FAST, "--workers", "0")
        assert files(Path("two")) == files(Path("here"))
        assert states(Path("two")) == {f"p{number}": "done" for number in range(COUNT)}
        assert not Path("here/manifest.jsonl").exists()

    def test_again_does_nothing(self, photos, succeeds):
        succeeds("segment", photos, "--out", "out", *FAST, *WORKERS)
        before = (Path("out") / "manifest.jsonl").read_bytes()
        output, _ = succeeds("segment", photos, "--out", "out", *FAST, *WORKERS)
        assert output.startswith(f"0 segmented, {COUNT} finished before: ")
        assert (Path("out") / "manifest.jsonl").read_bytes() == before

    def test_results_without_a_manifest_are_skipped(self, photos, succeeds):
        succeeds("segment", photos / "p3.png", "--out", "out", *FAST)
        output, _ = succeeds("segment", photos, "--out", "out", *FAST, *WORKERS)
        assert output.startswith(f"{COUNT - 1} segmented, 1 skipped: ")
        assert states(Path("out"))["p3"] == "skipped"

    def test_bad_images_fail_alone_and_are_tried_again(self, photos, partly, succeeds):
        (photos / "p1.png").write_bytes(b"no picture")
        whole = (photos / "p2.png").read_bytes()
        (photos / "p2.png").write_bytes(whole[: len(whole) // 2])
        output, said, _ = partly("segment", photos, "--out", "out", *FAST, *WORKERS)
        assert output.startswith(f"{COUNT - 2} segmented, 2 failed: ")
        assert sum("p1.png" in line or "p2.png" in line for line in said) == 2
        found = states(Path("out"))
        assert [name for name, state in found.items() if state == "failed"] in (
            ["p1", "p2"],
            ["p2", "p1"],
        )
        (photos / "p2.png").write_bytes(whole)
        (photos / "p1.png").write_bytes(whole)
        output, _ = succeeds("segment", photos, "--out", "out", *FAST, *WORKERS)
        assert output.startswith(f"2 segmented, {COUNT - 2} finished before: ")
        assert set(states(Path("out")).values()) == {"done"}

    def test_other_options(self, photos, succeeds, refused):
        succeeds("segment", photos, "--out", "out", *FAST, *WORKERS)
        other = ("segment", photos, "--out", "out", *FAST[:2], "--min-size", "9", *WORKERS)
        said = refused(2, *other)
        assert "min_size" in said
        assert "--accept-other" in said
        assert succeeds(*other, "--accept-other")[0].startswith("0 segmented, 12 finished before")
        assert succeeds(*other, "--overwrite")[0].startswith("12 segmented: ")

    def test_json(self, photos, succeeds):
        output, _ = succeeds("segment", photos, "--out", "out", *FAST, *WORKERS, "--json")
        told = json.loads(output)
        assert (told["total"], told["done"], told["failed"]) == (COUNT, COUNT, 0)
        assert told["manifest"] == "out/manifest.jsonl"

    def test_lean(self, photos, succeeds):
        succeeds("segment", photos, "--out", "out", *FAST, *WORKERS, "--lean")
        names = {path.name for path in Path("out/p0").iterdir()}
        assert names == {"labels.png", "components.csv", "result.json"}

    def test_many_images_get_workers_by_themselves(self, photos, succeeds):
        succeeds("segment", photos, "--out", "out", *FAST)
        assert len(states(Path("out"))) == COUNT

    def test_few_images_do_not(self, photos, succeeds):
        some = [photos / f"p{number}.png" for number in range(8)]
        succeeds("segment", *some, "--out", "out", *FAST)
        assert not Path("out/manifest.jsonl").exists()


class TestTables:
    @pytest.mark.parametrize("kind", ["csv", "parquet", "txt"])
    def test_images_of_a_table(self, photos, succeeds, kind):
        rows = [f"photos/p{number}.png" for number in range(3)]
        table = Path(f"images.{kind}")
        if kind == "parquet":
            pyarrow.parquet.write_table(pyarrow.table({"image": rows}), table)
        else:
            table.write_text("\n".join(["image", *rows] if kind == "csv" else rows) + "\n")
        succeeds("segment", table, "--out", "out", *FAST, *WORKERS)
        assert states(Path("out")) == dict.fromkeys(["p0", "p1", "p2"], "done")

    def test_names_and_regions(self, photos, succeeds):
        inside = np.zeros((24, 32), np.uint8)
        inside[:, :16] = 1
        Pillow.fromarray(inside).save("left.png")
        with Path("images.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["image", "name", "region"])
            writer.writerow(["photos/p0.png", "half", "left.png"])
            writer.writerow(["photos/p0.png", "whole", ""])
        for engine in (WORKERS, ()):
            succeeds("segment", "images.csv", "--out", f"out{len(engine)}", *FAST, *engine)
            outside = read_labels(Path(f"out{len(engine)}/half/labels.png")) == -1
            assert outside[:, 16:].all()
            assert not outside[:, :16].any()
            record = json.loads(Path(f"out{len(engine)}/half/result.json").read_text())
            assert record["options"]["region"].endswith("left.png")
        again, _ = succeeds("segment", "images.csv", "--out", "out0", *FAST)
        assert "other options" not in again

    def test_another_region_is_another_result(self, photos, succeeds):
        inside = np.ones((24, 32), np.uint8)
        for name in ("left.png", "top.png"):
            Pillow.fromarray(inside).save(name)
        for region in ("left.png", "top.png"):
            rows = [f"photos/p0.png,{region}", "photos/p1.png,left.png"]
            Path("images.csv").write_text("\n".join(["image,region", *rows]))
            output, said = succeeds("segment", "images.csv", "--out", "out", *FAST, *WORKERS)
        assert output.startswith("0 segmented, 1 finished before, 1 skipped: ")
        assert "1 skipped result made with other options" in said

    @pytest.mark.parametrize("column", ["region", "scribbles"])
    def test_further_files_of_images_done_by_window(self, here, succeeds, partly, column):
        rng = np.random.default_rng(0)
        for name in ("image.tif", "other.tif"):
            tifffile.imwrite(name, rng.integers(0, 255, (64, 64, 3), np.uint8))
        Pillow.fromarray(np.ones((64, 64), np.uint8)).save("file.png")
        Path("images.csv").write_text(f"image,{column}\nimage.tif,file.png\nother.tif,\n")
        words = ("segment", "images.csv", "--out", "out", "--method", "kmeans", "--stream", "tiff")
        if column == "scribbles":
            _, said, _ = partly(*words, *WORKERS)
            assert "a file of scribbles needs the whole image in memory" in said[0]
            return
        succeeds(*words, *WORKERS)
        record = json.loads(Path("out/image/result.json").read_text())
        assert record["options"]["region"] == "file.png"
        Path("out/manifest.jsonl").unlink()
        assert "other options" not in succeeds(*words, *WORKERS)[1]

    def test_a_missing_image_among_few_fails_alone(self, photos, partly):
        Path("images.txt").write_text("missing.png\nphotos/p0.png\n")
        words = ("segment", "images.txt", "--out", "out", "--method", "kmeans", "--workers", "4")
        output, said, _ = partly(*words, "--threads", "1")
        assert output.startswith("1 segmented, 1 failed: ")
        assert "missing.png" in said[0]

    def test_parts_make_the_whole(self, photos, succeeds):
        for part in ("1/2", "2/2"):
            succeeds("segment", photos, "--out", "out", *FAST, *WORKERS, "--part", part)
        first = states(Path("out"), "manifest-1-of-2.jsonl")
        second = states(Path("out"), "manifest-2-of-2.jsonl")
        assert len(first) == len(second) == COUNT // 2
        assert len(list(Path("out").glob("*/result.json"))) == COUNT


class TestPredict:
    def test_same_files_as_the_command_itself(self, photos, succeeds):
        learning = ("--features", "8", "--max-components", "6", "--epochs", "2")
        succeeds("train", "clustering", photos, "--out", "run", "--quiet", *learning)
        succeeds("predict", "run", photos, "--out", "two", *WORKERS)
        succeeds("predict", "run", photos, "--out", "here", "--workers", "0", "--threads", "1")
        assert files(Path("two")) == files(Path("here"))


class TestHugeImages:
    @pytest.mark.parametrize("form", ["tiff", "zarr"])
    def test_windows_are_shared_out(self, here, succeeds, form):
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 255, (9, 8, 3), np.uint8)
        tifffile.imwrite("big.tif", np.kron(coarse, np.ones((100, 120, 1), np.uint8)))
        method = ("--method", "kmeans", "--components", "5", "--stream", form)
        for workers in ("0", "2"):
            succeeds("segment", "big.tif", "--out", f"by{workers}", *method, "--workers", workers)
        assert files(Path("by0")) == files(Path("by2"))


def test_killed_and_gone_on_with(photos, succeeds):
    """The command killed by -9 at three moments, and given again each time."""
    succeeds("segment", photos, "--out", "whole", *FAST, *WORKERS)
    words = ["segment", str(photos), "--out", "out", *FAST, *WORKERS]
    for wanted in sorted(random.Random(0).sample(range(1, COUNT), 3)):
        process = subprocess.Popen(
            [sys.executable, "-m", "segmint", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and len(list(Path("out").glob("*/result.json"))) < wanted:
            time.sleep(0.005)
        process.kill()
        process.wait()
        states(Path("out"))
    succeeds(*words)
    assert set(states(Path("out")).values()) == {"done"}
    assert files(Path("whole")) == files(Path("out"))


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--address", "auto"), "--engine ray"),
            (("--workers", "0", "--part", "1/2"), "--workers 0"),
            (("--show", "--workers", "2"), "--show"),
            (("--part", "3/2"), "3/2"),
            (("--engine", "slurm"), "local, ray"),
        ],
    )
    def test_options(self, photos, refused, arguments, words):
        assert words in refused(2, "segment", photos, *FAST, *arguments)

    def test_out_is_a_file(self, photos, refused):
        Path("out").write_text("")
        assert "name a folder" in refused(2, "segment", photos, "--out", "out", *FAST, *WORKERS)
