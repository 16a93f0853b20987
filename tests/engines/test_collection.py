"""What users name. Reference: ``collect_images`` and ``result_names``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmint.engines.collection import Collection, open_collection
from segmint.engines.part import Part
from segmint.errors import InputError, UsageError
from segmint.images import collect_images, result_names


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    plant("photos/1.png", "photos/2.png", "photos/10.png", "more/1.png", "more/b.tif", "one.tif")
    return tmp_path


def plant(*paths: str) -> None:
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def told(collection: Collection) -> list[tuple[str, str]]:
    return [(item.image, item.name) for item in collection]


def test_all_that_may_be_named_together(folder: Path) -> None:
    Path("list.txt").write_text("photos/2.png\nphotos/new.png\n")
    Path("tables").mkdir()
    Path("tables/t.csv").write_text("image,name,region\n../one.tif,first,r.png\nx.png,,\n")
    plant("a.zarr/.zgroup")
    named = ["photos/", "more/*.tif", "list.txt", "tables/t.csv", "a.zarr", "one.tif"]
    collection = open_collection(named)
    assert told(collection) == [
        ("photos/1.png", "1"),
        ("photos/2.png", "2"),
        ("photos/10.png", "10"),
        ("more/b.tif", "b"),
        ("photos/new.png", "new"),
        ("tables/../one.tif", "first"),
        ("tables/x.png", "x"),
        ("a.zarr", "a"),
        ("one.tif", "one"),
    ]
    assert [item.number for item in collection] == list(range(9))
    assert [item.region for item in collection if item.region] == ["tables/r.png"]
    assert collection.notes == ("1 image was named before and taken once",)


PATHS = st.from_regex(r"([abA]/){0,3}[aA]-?[b2]?(\.png|\.tif|\.nii\.gz|\.ome\.tif)", fullmatch=True)
FIXED = settings(max_examples=60)


def planted(paths: list[str]) -> None:
    """Files at these paths, but for those that a file of another case is in the way of."""
    for path in paths:
        plant(path)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A current folder that all examples of a test share."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as made:
        os.chdir(made)
        yield Path(made)
        os.chdir(before)


@FIXED
@given(paths=st.lists(PATHS, min_size=1, max_size=12), absolute=st.booleans())
def test_files_are_those_of_collect_images(place: Path, paths: list[str], absolute: bool) -> None:
    planted(paths)
    named = [str(place / path) if absolute and len(path) % 2 else path for path in paths]
    expected = collect_images(named)
    collection = open_collection(named)
    assert told(collection) == list(zip(map(str, expected), result_names(expected), strict=True))


@FIXED
@given(
    st.lists(PATHS, min_size=1, max_size=10),
    st.lists(st.sampled_from([".", "a", "a/*", "**/*.png", "a/../a", "[Ab]/*.tif"]), min_size=1),
    st.booleans(),
)
def test_folders_and_patterns_are_those_of_collect_images(
    paths: list[str], named: list[str], recursive: bool
) -> None:
    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        for path in paths:
            (base / path).parent.mkdir(parents=True, exist_ok=True)
            (base / path).touch()
        places = [str(base / each) for each in named]
        try:
            expected = collect_images(places, recursive=recursive)
        except InputError as error:
            with pytest.raises(InputError) as caught:
                open_collection(named, recursive=recursive, base=base)
            assert str(caught.value) == str(error)
            return
        collection = open_collection(named, recursive=recursive, base=base)
        assert told(collection) == list(
            zip(map(str, expected), result_names(expected), strict=True)
        )


def test_files_are_known_again_by_where_links_lead(folder: Path) -> None:
    Path("link").symlink_to("photos", target_is_directory=True)
    Path("same.png").symlink_to("photos/1.png")
    Path("list.txt").write_text(f"link/2.png\n{folder}/photos/1.png\nlink/../photos/10.png\n")
    collection = open_collection(["photos", "link", "link/*.png", "list.txt"])
    assert told(collection) == [
        ("photos/1.png", "1"),
        ("photos/2.png", "2"),
        ("photos/10.png", "10"),
    ]
    assert collection.notes == ("9 images were named before and taken once",)
    assert len(open_collection(["photos", "same.png"])) == 4, "a link is a file of its own"


def test_folders_beyond_those_that_are_looked_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segmint.engines.collection_gathering._LOOKED_UP", 1)
    monkeypatch.setattr("segmint.engines.collection_storage._KNOWN_FOLDERS", 2)
    images = [f"{number % 5}/{number}.png" for number in range(20)]
    again = [f"x/../{image}" for image in images] + [str(folder / image) for image in images]
    Path("list.txt").write_text("\n".join([*images, *again]))
    collection = open_collection(["list.txt"])
    assert [item.image for item in collection] == images


def test_shared_names_are_said(folder: Path) -> None:
    collection = open_collection(["photos", "more"])
    assert [item.name for item in collection] == ["photos-1.png", "2", "10", "more-1.png", "b"]
    assert collection.notes == (
        "2 images share a name with another and are told apart: photos-1.png, more-1.png",
    )


def test_names_that_differ_in_case_alone(folder: Path) -> None:
    Path("list.txt").write_text("a/x.png\nA/X.png\na/X.PNG\nA/x.tif\n")
    names = [item.name for item in open_collection(["list.txt"])]
    assert len({name.casefold() for name in names}) == 4
    assert names == result_names(
        [Path(each) for each in ("a/x.png", "A/X.png", "a/X.PNG", "A/x.tif")]
    )


def test_names_that_are_taken_or_do_not_fit(folder: Path) -> None:
    long = "ä" * 120
    plant("manifest.jsonl.png", f"p/{long}.png", f"q/{long}.png")
    Path("long.txt").write_text(f"p/{'x' * 300}.png\np/{'x' * 300}.tif")
    collection = open_collection(["manifest.jsonl.png", "p", "q", "long.txt"])
    names = [item.name for item in collection]
    assert names[:2] == ["manifest.jsonl.png", f"p-{long}.png"]
    assert len(set(names)) == 5
    assert max(len(name.encode()) for name in names) <= 255


def test_names_of_manifests_of_parts_are_taken(folder: Path) -> None:
    plant("p/manifest-1-of-3.jsonl.png", "p/manifest-2-of-3.jsonl.png", "p/manifest-of-3.png")
    names = [item.name for item in open_collection(["p"])]
    assert names == ["manifest-1-of-3.jsonl.png", "manifest-2-of-3.jsonl.png", "manifest-of-3"]


def test_results_are_no_images(folder: Path) -> None:
    plant("photos/out/1/labels.png", "photos/out/manifest.jsonl")
    for inputs in (["photos"], ["photos/**/*.png"], ["./photos", "photos/1.png"]):
        collection = open_collection(inputs, recursive=True, results="photos/out")
        assert [item.name for item in collection] == ["1", "2", "10"]


def test_the_folder_one_is_in_may_be_an_image(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant("a.zarr/.zarray", "a.zarr/b/c")
    monkeypatch.chdir("a.zarr")
    assert [item.name for item in open_collection(["."])] == ["a"]
    assert [item.name for item in open_collection(["b/.."])] == ["a"]


def test_names_of_files_that_are_no_text(folder: Path) -> None:
    try:
        Path(os.fsdecode(b"photos/\xff.png")).touch()
    except OSError:
        pytest.skip("this file system takes only names that are text")
    collection = open_collection(["photos"])
    assert list(collection)[-1].image == os.fsdecode(b"photos/\xff.png")
    assert len(collection.identity) == 32


def test_identity_is_of_images_names_and_order(folder: Path) -> None:
    Path("list.txt").write_text("photos/1.png\nphotos/2.png\nphotos/10.png")
    Path("names.csv").write_text("path,name\nphotos/1.png,one\nphotos/2.png,\nphotos/10.png,")
    same = [["photos"], ["photos/*"], ["list.txt"], ["photos/1.png", "photos"]]
    others = [["names.csv"], ["photos/2.png", "photos"], ["photos", "one.tif"], ["more"]]
    assert len({open_collection(named).identity for named in same}) == 1
    assert len({open_collection(named).identity for named in [same[0], *others]}) == 5


@given(index=st.integers(1, 9), count=st.integers(1, 9))
def test_parts(place: Path, index: int, count: int) -> None:
    planted([f"parts/{number}.png" for number in range(7)])
    whole = open_collection(["parts"])
    if index > count:
        with pytest.raises(UsageError, match="does not exist"):
            Part(index, count)
        return
    part = open_collection(["parts"], part=Part.parse(f"{index}/{count}"))
    assert list(part) == list(whole)[index - 1 :: count] == list(part)
    assert len(part) == len(list(part))
    assert part.identity == whole.identity
    assert part.whole == len(whole) == 7
    empty = (f"part {index}/{count} is empty: there are 7 images in all",)
    assert part.notes == (() if len(part) else empty)


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/4/5", "a/b", "1.5/2"])
def test_parts_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="accepted"):
        Part.parse(text)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (["missing.png"], "missing.png does not exist"),
        (["photos/*.jpg"], "matches no image"),
        (["empty"], "folder empty holds no image"),
        (["photos\0"], "does not exist|is not a path"),
        (["missing.csv"], "missing.csv does not exist"),
    ],
)
def test_what_is_missing(folder: Path, named: list[str], message: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(InputError, match=message):
        open_collection(named)


def test_nothing_named(folder: Path) -> None:
    with pytest.raises(UsageError, match="no image was named"):
        open_collection([])
    with pytest.raises(UsageError, match="an image name is empty"):
        open_collection(["photos", ""])
    assert len(open_collection([], base=Path("photos"))) == 3
    assert told(open_collection(["1.png"], base=Path("photos"))) == [("photos/1.png", "1")]
