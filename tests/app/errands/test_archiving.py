"""Results of several images in one ZIP."""

from __future__ import annotations

import json
import re
import sys
import tracemalloc
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parent))
from heard import Heard

from segmint.app.errands.archiving import unique_names, write_archive
from segmint.app.errands.segmenting import segment_picture
from segmint.cli import run as run_command
from segmint.errors import InputError, OutputError, UsageError

SIZE = (24, 32)


@pytest.fixture
def results(tmp_path: Path) -> dict[str, str]:
    """Two folders as results have them."""
    for name in ("a", "b"):
        folder = tmp_path / name / "result"
        folder.mkdir(parents=True)
        (folder / "labels.png").write_bytes(bytes(1000))
        (folder / "components.csv").write_text("id,pixels\n" * 100)
        (folder / "result.json").write_text(json.dumps({"image": name}))
    return {name: str(tmp_path / name / "result") for name in ("a", "b")}


def test_three_results_are_those_of_the_command_line(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    folders = {}
    for name in ("one", "two", "three"):
        pixels = np.kron(generator.integers(0, 255, (3, 4, 3)), np.ones((8, 8, 1)))
        path = tmp_path / "images" / f"{name}.png"
        Pillow.fromarray(pixels.astype(np.uint8)).save(path)
        own = {each: str(tmp_path / name / each) for each in ("fit", "result", "views")}
        segment_picture(Heard(), path=str(path), name=path.name, method="kmeans", options={}, **own)
        folders[name] = own["result"]
    told = write_archive(Heard(), folders=folders, out=str(tmp_path / "results.zip"))
    call = ["segment", str(tmp_path / "images"), "--method", "kmeans", "--skip-report", "--quiet"]
    assert run_command([*call, "--out", str(tmp_path / "out")]) == 0
    expected = {
        file.relative_to(tmp_path / "out").as_posix(): file
        for file in (tmp_path / "out").rglob("*")
        if file.is_file()
    }
    assert len(expected) >= 12
    with zipfile.ZipFile(tmp_path / "results.zip") as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == set(expected)
        for name, file in expected.items():
            content = archive.read(name)
            if file.name == "result.json":
                kept, said = json.loads(content), json.loads(file.read_text())
                assert kept["image"] == Path(said["image"]).name
                del kept["image"], said["image"], kept["seconds"], said["seconds"]
                assert kept == said
            else:
                assert content == file.read_bytes(), name
    assert told == {"bytes": (tmp_path / "results.zip").stat().st_size}


def test_what_is_small_already_is_only_stored(results: dict[str, str], tmp_path: Path) -> None:
    heard = Heard()
    write_archive(heard, folders=results, out=str(tmp_path / "x.zip"))
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        ways = {member.filename: member.compress_type for member in archive.infolist()}
    assert ways == {
        f"{name}/{file}": way
        for name in ("a", "b")
        for file, way in (
            ("labels.png", zipfile.ZIP_STORED),
            ("components.csv", zipfile.ZIP_DEFLATED),
            ("result.json", zipfile.ZIP_DEFLATED),
        )
    }
    assert heard.told == [(done, 6, "files") for done in range(6)]


def test_links_and_hidden_files_stay_out(results: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "a" / "result" / "link.txt").symlink_to(tmp_path / "secret")
    (tmp_path / "a" / "result" / ".unfinished").mkdir()
    (tmp_path / "a" / "result" / ".unfinished" / "blocks").write_bytes(b"1")
    write_archive(Heard(), folders=results, out=str(tmp_path / "x.zip"))
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert len(archive.namelist()) == 6


def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with (tmp_path / "a" / "labels.tif").open("wb") as file:
        file.truncate(64 * 2**20)
    tracemalloc.start()
    try:
        write_archive(Heard(), folders={"a": str(tmp_path / "a")}, out=str(tmp_path / "x.zip"))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 * 2**20


@pytest.mark.parametrize("stop_at", [0, 3])
def test_stopped_it_leaves_the_former_archive(
    results: dict[str, str], tmp_path: Path, stop_at: int
) -> None:
    (tmp_path / "zips").mkdir()
    place = tmp_path / "zips" / "x.zip"
    place.write_bytes(b"former")
    with pytest.raises(UsageError, match="stopped"):
        write_archive(Heard(stop_at=stop_at), folders=results, out=str(place))
    assert place.read_bytes() == b"former"
    assert [file.name for file in place.parent.iterdir()] == ["x.zip"]


def test_what_cannot_be_written(results: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "zips" / "x.zip"
    with pytest.raises(UsageError, match=r"are 4\d+ bytes, accepted in one archive are at most 9"):
        write_archive(Heard(), folders=results, out=str(place), limit=9)
    with pytest.raises(InputError, match="no result to put into an archive"):
        write_archive(Heard(), folders={}, out=str(place))
    with pytest.raises(InputError, match="the result of c is gone"):
        write_archive(Heard(), folders={"c": str(tmp_path / "c")}, out=str(place))
    assert not place.parent.exists()
    with pytest.raises(OutputError, match="cannot write"):
        write_archive(Heard(), folders=results, out=str(tmp_path / "a" / "result" / "labels.png/x"))


def test_names_that_are_paths_lead_nowhere(results: dict[str, str], tmp_path: Path) -> None:
    given = ["../../etc/x", "/etc/x", "C:\\x", "..", "x\0\n", "X", "a/../..", "", ". .", "n" * 999]
    folders = dict.fromkeys(given, results["a"])
    write_archive(Heard(), folders=folders, out=str(tmp_path / "x.zip"))
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        names = {PurePosixPath(name) for name in archive.namelist()}
    assert {len(name.parts) for name in names} == {2}
    assert len({name.parts[0].casefold() for name in names}) == len(given)


@given(st.dictionaries(st.text(max_size=8), st.none(), max_size=8))
def test_every_name_is_safe_and_unlike_the_others(names: dict[str, None]) -> None:
    found = unique_names(names)
    assert list(found) == list(names)
    assert len({name.casefold() for name in found.values()}) == len(names)
    for name in found.values():
        assert name
        assert name.isprintable()
        assert not re.search(r'[<>:"|?*/\\]', name)
        assert name not in (".", "..")
        assert name == name.strip(". ")
