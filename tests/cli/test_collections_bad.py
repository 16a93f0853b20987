"""Collections by workers that are given what they should not be."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.engines.growing_file import growing_file

FAST = ("--method", "felzenszwalb", "--min-size", "4", "--skip-report")
WORKERS = ("--workers", "2", "--threads", "1")
MANIFEST = Path("out/manifest.jsonl")


@pytest.fixture
def photos(here, photo) -> Path:
    folder = here / "photos"
    folder.mkdir()
    for number in range(3):
        Pillow.fromarray(np.roll(photo, number, axis=1)).save(folder / f"p{number}.png")
    return folder


def lines() -> list[dict]:
    found = [json.loads(line) for line in MANIFEST.read_text().splitlines()[1:]]
    assert len({line["number"] for line in found}) == len(found)
    return found


def test_every_bad_image_fails_alone(photos, photo, partly):
    whole = (photos / "p0.png").read_bytes()
    (photos / "short.png").write_bytes(whole[: len(whole) // 2])
    (photos / "empty.png").touch()
    (photos / "text.png").write_text("not a picture")
    (photos / "folder.png").mkdir()
    (photos / "link.png").symlink_to("gone.png")
    shutil.copy(photos / "p0.png", photos / "tiff.tif")
    shutil.copy(photos / "p0.png", photos / " -a b'c\nd.png")
    os.mkfifo(photos / "pipe.png")
    values = photo[..., 0].astype(np.float32)
    values[2, 2] = np.nan
    np.save(photos / "nan.npy", values)
    np.save(photos / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    names = [path.name for path in photos.iterdir() if "\n" not in path.name]
    Path("list.txt").write_text("\n".join(f"photos/{name}" for name in [*names, "gone.png"]))
    _, said, _ = partly("segment", "list.txt", "photos", "--out", "out", *FAST, *WORKERS)
    why = {
        "short": "cut short",
        "empty": "is empty (0 bytes)",
        "text": "is not an image but text",
        "folder": "is a folder",
        "link": "what it leads to is gone",
        "pipe": "is a pipe or a device",
        "nan": "NaN",
        "objects": "pickled objects",
        "gone": "does not exist",
    }
    failed = {line["name"]: line["sentence"] for line in lines() if line["state"] == "failed"}
    assert failed.keys() == why.keys()
    for name, words in why.items():
        assert words in failed[name]
        assert failed[name].startswith(f"photos/{name}.")
        assert failed[name] in said
    done = {line["name"] for line in lines() if line["state"] == "done"}
    assert done == {"p0", "p1", "p2", "tiff", " -a b'c\nd"}


@pytest.mark.parametrize("out", ["photos/out", "photos"])
def test_results_among_the_images_are_no_images(photos, succeeds, out):
    (photos / "inner").mkdir()
    shutil.copy(photos / "p0.png", photos / "inner" / "q.png")
    words = ("segment", photos, "--recursive", "--out", out, *FAST, *WORKERS)
    assert succeeds(*words)[0].startswith("4 segmented: ")
    assert succeeds(*words)[0].startswith("0 segmented, 4 finished before: ")


def test_manifests_that_are_none_any_more(photos, succeeds, refused):
    words = ("segment", photos, "--out", "out", *FAST, *WORKERS)
    succeeds(*words)
    whole = MANIFEST.read_text()
    header, first, *rest = whole.splitlines(keepends=True)

    def with_lines(*changed: str) -> None:
        MANIFEST.write_text("".join(changed))

    for damaged in ("garbage\n", "[]\n", first.replace('"done"', '"well"'), "{}\n"):
        with_lines(header, damaged, *rest)
        assert "line 2 of out/manifest.jsonl is damaged" in refused(1, *words)
    with_lines(header, first.replace('"number": ', '"number": 9'), *rest)
    assert "numbered from 0 to 2" in refused(1, *words)
    for other in (whole.replace('"manifest": 1', '"manifest": 2', 1), first, "notes\n"):
        with_lines(other)
        assert "is no manifest" in refused(1, *words)
    with_lines(header.replace('"segmint": "', '"segmint": "0.0.', 1), first, *rest)
    assert "--accept-other" in refused(2, *words)
    MANIFEST.unlink()
    MANIFEST.mkdir()
    assert "is a link, a folder or a device" in refused(1, *words)
    MANIFEST.rmdir()
    with_lines(header, first, first[: len(first) // 2])
    assert succeeds(*words)[0].startswith("2 segmented, 1 finished before: ")
    assert sorted(line["number"] for line in lines()) == [0, 1, 2]


def test_while_another_command_writes(photos, refused):
    words = ("segment", photos, "--out", "out", *FAST, *WORKERS)
    with growing_file(MANIFEST):
        assert "another process is writing out/manifest.jsonl" in refused(1, *words)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--workers", "-1", "0 to 100000"),
        ("--workers", "2.5", "a whole number"),
        ("--images-per-batch", "0", "1 to 10000"),
        ("--part", "0/3", "1/3 to 3/3"),
        ("--part", "4/3", "1/3 to 3/3"),
        ("--part", "3/", "write 3/100"),
        ("--part", "x", "write 3/100"),
        ("--gpus-per-worker", "nan", "finite"),
        ("--gpus-per-worker", "-1", "0 to 64"),
    ],
)
def test_refused_options(photos, refused, option, value, words):
    assert words in refused(2, "segment", photos, *FAST, option, value)
    assert not Path("segmint-out").exists()
