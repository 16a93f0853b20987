from __future__ import annotations

from typing import Any

import pytest

from segmint.app.crew.paths import without_folders

FOLDER = "/tmp/segmint x/desk/3"
ARGUMENTS: dict[str, Any] = {
    "path": f"{FOLDER}/upload/photo.png",
    "views": f"{FOLDER}/views/1",
    "name": "photo.png",
    "places": ["/srv/our runs/unet", "runs/other"],
    "options": {"components": 5},
    "scribbles": None,
}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (f"{FOLDER}/upload/photo.png is empty", "photo.png is empty"),
        (f"no '{FOLDER}/upload/photo.png' {FOLDER}/views/1/x.png", "no 'photo.png' 1/x.png"),
        ("/srv/our runs/unet/run.json is damaged", "unet/run.json is damaged"),
        ("runs/other/run.json is damaged", "runs/other/run.json is damaged"),
        ("[Errno 2] No such file: '/usr/lib/python/x.so'", "[Errno 2] No such file: 'x.so'"),
        (r"no file C:\Users\me\photo.png", "no file photo.png"),
        ("give red/green/blue, 1/2 or and/or", "give red/green/blue, 1/2 or and/or"),
        ("see https://example.org/a/b/c", "see https://example.org/a/b/c"),
        ("--components is 1, accepted is 2 or more", "--components is 1, accepted is 2 or more"),
        ("", ""),
    ],
)
def test_files_have_the_names_that_the_visitor_knows(sentence: str, expected: str) -> None:
    assert without_folders(sentence, ARGUMENTS) == expected


def test_without_arguments_only_folders_go() -> None:
    assert without_folders("/a/b/c.png: bad", {}) == "c.png: bad"
