from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path

import pytest

from segmint.errors import OutputError
from segmint.runs import atomic_path, staged_folder, versions, write_json, write_text


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def forbidden(*_: object, **__: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


class TestAtomicPath:
    def test_file_appears_when_the_block_ends(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "a.txt"
        with atomic_path(path) as temporary:
            temporary.write_text("whole")
            assert not path.exists()
            assert temporary.parent == path.parent
        assert path.read_text() == "whole"
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize("name", ["a.png", "a.nii.gz"])
    def test_temporary_name_keeps_the_suffix(self, tmp_path: Path, name: str) -> None:
        with atomic_path(tmp_path / name) as temporary:
            assert temporary.name.endswith(name.removeprefix("a"))

    def test_has_the_permissions_of_an_ordinary_file(self, tmp_path: Path) -> None:
        (tmp_path / "ordinary").touch()
        write_text(tmp_path / "a", "")
        assert (tmp_path / "a").stat().st_mode == (tmp_path / "ordinary").stat().st_mode

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_failure_leaves_the_old_file(self, tmp_path: Path, error: type[BaseException]) -> None:
        path = tmp_path / "a.txt"
        path.write_text("old")
        with pytest.raises(error), atomic_path(path) as temporary:
            temporary.write_text("half")
            raise error
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

    def test_disk_full_while_writing(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        with pytest.raises(OutputError, match=r"a\.txt: the disk is full"), atomic_path(path):
            full_disk()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("call", ["mkstemp", "replace"])
    def test_disk_full_around_writing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        monkeypatch.setattr(tempfile if call == "mkstemp" else Path, call, full_disk)
        with pytest.raises(OutputError, match="the disk is full"):
            write_text(tmp_path / "a.txt", "text")
        assert list(tmp_path.iterdir()) == []

    def test_unwritable_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "mkstemp", forbidden)
        with pytest.raises(OutputError, match=r"cannot write .*a\.txt: Permission denied"):
            write_text(tmp_path / "a.txt", "text")

    def test_folder_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OutputError, match="cannot write"):
            write_text(tmp_path / "file" / "a.txt", "text")

    def test_path_is_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        with pytest.raises(OutputError, match="cannot write"):
            write_text(tmp_path / "a", "text")
        assert list(tmp_path.iterdir()) == [tmp_path / "a"]


class TestStagedFolder:
    def test_files_appear_together(self, tmp_path: Path) -> None:
        with staged_folder(tmp_path / "out", last="b.json") as stage:
            (stage / "b.json").write_text("b")
            (stage / "c.txt").write_text("c")
            assert not (tmp_path / "out").exists()
        assert {file.name for file in (tmp_path / "out").iterdir()} == {"b.json", "c.txt"}
        assert list(tmp_path.iterdir()) == [tmp_path / "out"]

    def test_other_files_stay_and_old_ones_are_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "other.txt").write_text("other")
        (tmp_path / "a.txt").write_text("old")
        with staged_folder(tmp_path, last="a.txt") as stage:
            (stage / "a.txt").write_text("new")
        assert (tmp_path / "other.txt").read_text() == "other"
        assert (tmp_path / "a.txt").read_text() == "new"

    def test_last_moves_last(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        moved = []
        replace = Path.replace

        def watched(self: Path, target: Path) -> Path:
            moved.append(self.name)
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", watched)
        with staged_folder(tmp_path / "out", last="b.json") as stage:
            for name in ("a.txt", "b.json", "c.txt"):
                (stage / name).touch()
        assert sorted(moved) == ["a.txt", "b.json", "c.txt"]
        assert moved[-1] == "b.json"

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_failure_in_the_block_leaves_nothing(
        self, tmp_path: Path, error: type[BaseException]
    ) -> None:
        with pytest.raises(error), staged_folder(tmp_path / "out", last="b.json") as stage:
            (stage / "a.txt").touch()
            raise error
        assert list(tmp_path.iterdir()) == []

    def test_failure_in_the_block_leaves_the_old_result(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / "b.json").write_text("old")
        with (
            pytest.raises(OutputError, match="the disk is full"),
            staged_folder(out, last="b.json"),
        ):
            full_disk()
        assert (out / "b.json").read_text() == "old"
        assert list(tmp_path.iterdir()) == [out]

    def test_disk_full_while_moving_leaves_no_finished_result(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / "b.json").write_text("old")
        monkeypatch.setattr(Path, "replace", full_disk)
        with (
            pytest.raises(OutputError, match="the disk is full"),
            staged_folder(out, last="b.json") as stage,
        ):
            (stage / "a.txt").touch()
        assert not (out / "b.json").exists()
        assert list(tmp_path.iterdir()) == [out]

    def test_unwritable_place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "mkdtemp", forbidden)
        with (
            pytest.raises(OutputError, match=r"cannot write .*out: Permission denied"),
            staged_folder(tmp_path / "out", last="b.json"),
        ):
            pass

    def test_folder_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("a file")
        with pytest.raises(OutputError), staged_folder(tmp_path / "out", last="b.json") as stage:
            (stage / "b.json").touch()
        assert (tmp_path / "out").read_text() == "a file"

    def test_message_names_the_folder_that_was_asked_for(self, tmp_path: Path) -> None:
        with (
            pytest.raises(OutputError) as caught,
            staged_folder(tmp_path / "out", last="b.json") as stage,
            atomic_path(stage / "a.txt"),
        ):
            full_disk()
        assert str(tmp_path / "out") in str(caught.value)
        assert ".partial" not in str(caught.value)


def test_json_round_trip(tmp_path: Path) -> None:
    data = {"a": [1, 2.5, None], "place": Path("x/y"), "ö": "ü"}
    write_json(tmp_path / "a.json", data)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert json.loads(text) == {**data, "place": str(Path("x/y"))}


def test_versions_name_what_decides_a_result() -> None:
    import numpy
    import torch

    found = versions()
    assert found["numpy"] == numpy.__version__
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert {"python", "platform", "segmint"} <= found.keys()


def test_json_holds_no_number_that_is_none(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"rows": [float("nan"), (1.5, float("inf"))]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"rows": [None, [1.5, None]]}
