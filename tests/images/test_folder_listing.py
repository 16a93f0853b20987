"""Reference: the files that pathlib finds, sorted by ``natural_key``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.images import collect_images, natural_key
from segmint.images.collect import IMAGE_SUFFIXES, named_images
from segmint.images.folder_listing import natural_text

NAMES = st.from_regex(
    r"\.?[aAß]?-?[0-9]{0,3}[b ]?(\.png|\.tif|\.nii\.gz|\.zarr|\.txt)?", fullmatch=True
)
TREES = st.lists(st.lists(NAMES.filter(lambda name: name.strip("."))), max_size=12)


def plant(folder: Path, trees: list[list[str]]) -> None:
    """Each list is a path whose last part is a file, where nothing is in its way."""
    for parts in trees:
        path = folder.joinpath(*parts)
        if parts and not path.exists() and not any(map(Path.is_file, path.parents)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def wanted(folder: Path, recursive: bool, pattern: str = "*") -> list[Path]:
    found = []
    for path in folder.rglob("*") if recursive else folder.glob(pattern):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        in_zarr = any(part.lower().endswith(".zarr") for part in inside.parts[:-1])
        image = path.is_file() and path.name.lower().endswith(IMAGE_SUFFIXES)
        if not hidden and not in_zarr and (image or (path.is_dir() and path.suffix == ".zarr")):
            found.append(path)
    return sorted(sorted(found), key=natural_key)


@settings(max_examples=60)
@given(trees=TREES, recursive=st.booleans())
def test_random_trees(trees: list[list[str]], recursive: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plant(folder, trees)
        expected = wanted(folder, recursive)
        if expected:
            assert collect_images([folder], recursive=recursive) == expected
        else:
            with pytest.raises(InputError, match="holds no image"):
                collect_images([folder], recursive=recursive)


@settings(max_examples=40)
@given(names=st.lists(NAMES.filter(lambda name: name.strip(".")), max_size=12))
@pytest.mark.parametrize("pattern", ["*", "[aA]*.png", "?1*", "*.zarr", "**"])
def test_random_patterns(names: list[str], pattern: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plant(folder, [[name, "0"] if name.endswith(".zarr") else [name] for name in names])
        expected = wanted(folder, False, pattern)
        try:
            assert collect_images([folder / pattern]) == expected
        except InputError:
            assert not expected


@given(st.text("aAßb019٣²-/ .", max_size=8), st.text("aAßb019٣²-/ .", max_size=8))
def test_texts_sort_as_keys_of_paths_do(one: str, other: str) -> None:
    keys = [natural_key(Path(each)) for each in (one, other)]
    texts = [natural_text(str(Path(each))) for each in (one, other)]
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (texts[0] < texts[1], texts[0] == texts[1])


def test_links_are_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    (tmp_path / "a" / "around").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "2.png").symlink_to(tmp_path / "a" / "1.png")
    (tmp_path / "3.png").symlink_to(tmp_path / "missing.png")
    (tmp_path / "4.png").symlink_to(tmp_path / "4.png")
    found = collect_images([tmp_path], recursive=True)
    assert found == [tmp_path / "2.png", tmp_path / "a" / "1.png"]


def test_results_are_not_looked_into(tmp_path: Path) -> None:
    plant(tmp_path, [["1.png"], ["1", "labels.png"], ["1", "result.json"], ["1", "components.csv"]])
    plant(tmp_path, [["2", "labels.png"], ["2", "components.csv"], ["2", "in", "3.png"]])
    found = collect_images([tmp_path], recursive=True)
    assert found == [tmp_path / "1.png", tmp_path / "2" / "in" / "3.png", tmp_path / "2/labels.png"]
    assert collect_images([tmp_path / "1"], recursive=True) == [tmp_path / "1" / "labels.png"]


@pytest.mark.parametrize("without", ["in/out", "in/gone/../out", "link/out"])
def test_a_folder_that_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    monkeypatch.chdir(tmp_path)
    plant(tmp_path, [["in", "1.png"], ["in", "out", "1", "labels.png"], ["in", "b", "2.png"]])
    Path("link").symlink_to("in", target_is_directory=True)
    for item in ("in", ".", str(tmp_path / "in"), "in/**/*.png", "link/**/*.png"):
        found = list(named_images(item, recursive=True, without=without))
        assert sorted(map(os.path.basename, found)) == ["1.png", "2.png"], item
    monkeypatch.chdir("in")
    for item in (".", "**/*.png"):
        assert len(list(named_images(item, recursive=True, without="out"))) == 2
    inside = ["out/1/labels.png"]
    assert list(named_images("out", recursive=True, without="out")) == inside
    assert list(named_images("out/1/labels.png", without="out")) == inside


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every folder"
)
def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "1.png").touch()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert collect_images([tmp_path]) == [tmp_path / "1.png"]
    with pytest.raises(InputError, match="closed cannot be opened"):
        collect_images([tmp_path], recursive=True)


def test_the_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "1.png").touch()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).rstrip(os.sep).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"closed/ cannot be opened \(Permission denied\)"):
        collect_images([tmp_path], recursive=True)
