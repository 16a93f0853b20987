from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.images import collect_images, result_names
from segmint.images.collect import nearest_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cell10.png", "cell9.png", "cell1.TIF", "b.nii.gz", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    for name in ("inner/deep.jpg", ".cache/no.png", "empty/readme.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_folders_in_natural_order(folder: Path) -> None:
    assert names(collect_images([folder])) == ["b.nii.gz", "cell1.TIF", "cell9.png", "cell10.png"]
    assert "deep.jpg" in names(collect_images([folder], recursive=True))
    assert "no.png" not in names(collect_images([folder], recursive=True))


def test_patterns(folder: Path) -> None:
    assert names(collect_images([f"{folder}/cell*.png"])) == ["cell9.png", "cell10.png"]
    assert names(collect_images([f"{folder}/**/*.jpg"])) == ["deep.jpg"]
    assert names(collect_images([f"{folder}/cell[19].*"])) == ["cell1.TIF", "cell9.png"]


def test_relative_patterns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert collect_images(["*.png"]) == [Path("cell9.png"), Path("cell10.png")]
    assert collect_images(["."])[0] == Path("b.nii.gz")


def test_files_keep_their_order_and_come_once(folder: Path) -> None:
    given_paths = [
        folder / "cell9.png",
        folder / "notes.txt",
        folder,
        folder / "inner/../cell9.png",
    ]
    expected = ["cell9.png", "notes.txt", "b.nii.gz", "cell1.TIF", "cell10.png"]
    assert names(collect_images(given_paths)) == expected


def test_a_file_may_be_named_like_a_pattern(folder: Path) -> None:
    (folder / "a[1].png").touch()
    assert names(collect_images([folder / "a[1].png"])) == ["a[1].png"]


def test_a_zarr_folder_is_one_image(tmp_path: Path) -> None:
    for name in ("a.ome.zarr/0/.zarray", "a.ome.zarr/0/0.0", "inner/b/zarr.json", "inner/b/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "c.png").touch()
    assert names(collect_images([tmp_path / "a.ome.zarr"])) == ["a.ome.zarr"]
    assert names(collect_images([tmp_path])) == ["a.ome.zarr", "c.png"]
    assert names(collect_images([tmp_path], recursive=True)) == ["a.ome.zarr", "c.png", "b"]
    assert names(collect_images([f"{tmp_path}/*.zarr"])) == ["a.ome.zarr"]
    assert names(collect_images([f"{tmp_path}/**/*"])) == ["a.ome.zarr", "c.png", "b"]
    assert names(collect_images([tmp_path / "a.ome.zarr" / "0"])) == ["0"]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("empty", "holds no image"),
        ("none.png", "does not exist"),
        ("*.webp", "matches no image"),
        ("missing/*.png", "matches no image"),
    ],
)
def test_nothing_found_is_an_error(folder: Path, item: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        collect_images([folder / item])
    with pytest.raises(InputError, match="no image given"):
        collect_images([])


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["x/a.png", "x/b.tif"], ["a", "b"]),
        (["scan.nii.gz", "scan.2.ome.tiff"], ["scan", "scan.2"]),
        (["a.ome.zarr", "b.zarr", "b.2.ZARR"], ["a", "b", "b.2"]),
        (["a.png", "a.tif", "b.png"], ["a.png", "a.tif", "b"]),
        (["x/a.png", "y/a.png"], ["x-a.png", "y-a.png"]),
        (["1/x/a.png", "2/x/a.png"], ["1-x-a.png", "2-x-a.png"]),
        (["A.png", "a.tif"], ["A.png", "a.tif"]),
        (["a.png", "a.png"], None),
    ],
)
def test_result_names(paths: list[str], expected: list[str] | None) -> None:
    found = result_names([Path(path) for path in paths])
    if expected is None:
        assert len(set(found)) == len(paths)
    else:
        assert found == expected


@given(st.lists(st.from_regex(r"([ab]/){0,3}[aA]-?[b2]?\.(png|tif|nii\.gz)", fullmatch=True)))
def test_result_names_are_unique_file_names(paths: list[str]) -> None:
    found = result_names([Path(path) for path in paths])
    assert len({name.casefold() for name in found}) == len(paths)
    assert all(name and "/" not in name for name in found)


def test_the_nearest_name_of_a_missing_file(folder: Path) -> None:
    assert nearest_file(folder / "cel9.png") == "did you mean 'cell9.png'?"
    assert nearest_file(folder / "gone" / "cell9.png") == "check the folder and the name"
    (folder / "link.png").symlink_to("gone.png")
    assert nearest_file(folder / "link.png") == "it is a link, and what it leads to is gone"


def test_a_folder_of_millions_is_not_read_for_a_missing_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Entry:
        name = "a.png"

    @contextmanager
    def endless(path: Path) -> Iterator[Iterator[Entry]]:
        yield repeat(Entry())

    monkeypatch.setattr(os, "scandir", endless)
    assert nearest_file(folder / "nothing.tif") == "check the folder and the name"
