"""A manifest that is begun, left and gone on with."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conducting_example import done_numbers, finish, header_of, items_of

from segmint.engines.item import Item
from segmint.engines.manifest import Manifest
from segmint.engines.manifest_lines import read_manifest
from segmint.engines.outcome import Outcome
from segmint.engines.part import Part
from segmint.errors import InputError, OutputError, UsageError


@contextmanager
def opened(out: Path, items: Sequence[Item], **how: Any) -> Iterator[Manifest]:
    flags = {name: how.pop(name) for name in ("overwrite", "accept_other") if name in how}
    with Manifest.open(out, header_of(items, **how), items, **flags) as manifest:
        yield manifest


def do(out: Path, items: Sequence[Item], *, failing: Sequence[int] = (), **how: Any) -> list[int]:
    """Do what is not done; the numbers of what was."""
    begun = []
    with opened(out, items, **how) as manifest:
        for item in items:
            if manifest.is_done(item):
                continue
            begun.append(item.number)
            if item.number in failing:
                bad = Outcome(number=item.number, state="failed", sentence=f"{item.image} is bad")
                manifest.record(item, bad)
            else:
                manifest.record(item, finish(out, item))
    return begun


def states(out: Path) -> dict[str, str]:
    lines = list(read_manifest(out / "manifest.jsonl"))
    found = {line["name"]: line["state"] for line in lines}
    assert len(found) == len(lines), "an image has two lines"
    return found


def test_what_is_done_is_not_done_again_and_what_failed_is(tmp_path: Path) -> None:
    items = items_of(6)
    assert do(tmp_path, items, failing=[1, 4]) == [0, 1, 2, 3, 4, 5]
    assert states(tmp_path) == {**dict.fromkeys("0235", "done"), "1": "failed", "4": "failed"}
    assert do(tmp_path, items, failing=[4]) == [1, 4]
    assert states(tmp_path) == {**dict.fromkeys("01235", "done"), "4": "failed"}
    with opened(tmp_path, items) as manifest:
        assert (manifest.before, manifest.total) == (5, 6)
        assert manifest.counts == {"done": 5, "failed": 0, "skipped": 0}


def test_a_line_says_what_became_of_an_image(tmp_path: Path) -> None:
    item = Item(number=0, image="a/\udcff é.png", name="x")
    told = {"method": "hybrid", "seconds": float("nan"), "notes": ["all\nof it"], "number": 7}
    with opened(tmp_path, [item]) as manifest:
        manifest.record(item, Outcome(number=0, state="skipped", told=told))
        assert manifest.is_done(item)
    header, line = (tmp_path / "manifest.jsonl").read_text("ascii").splitlines()
    assert json.loads(header)["identity"]["options"] == {"n_components": 5}
    assert json.loads(line) == {
        "number": 0,
        "image": "a/\udcff é.png",
        "name": "x",
        "state": "skipped",
        "method": "hybrid",
        "seconds": None,
        "notes": ["all\nof it"],
    }


def test_what_is_told_of_an_image_may_not_fill_the_manifest(tmp_path: Path) -> None:
    item = items_of(1)[0]
    with opened(tmp_path, [item]) as manifest:
        manifest.record(item, Outcome(number=0, state="done", told={"notes": ["x" * 2**21]}))
    [line] = read_manifest(manifest.path)
    assert line["state"] == "done"
    assert line["notes"][0].endswith("bytes and is left out")
    with opened(tmp_path, [item]) as manifest:
        assert manifest.before == 0, "there is no result"


def test_results_that_were_removed_are_done_again(tmp_path: Path) -> None:
    items = items_of(5)
    do(tmp_path, items)
    shutil.rmtree(tmp_path / "3")
    (tmp_path / "1" / "result.json").unlink()
    assert do(tmp_path, items) == [1, 3]
    assert states(tmp_path) == dict.fromkeys("01234", "done")


def renumbered(names: Sequence[str]) -> list[Item]:
    return [Item(number=n, image=f"{name}.png", name=name) for n, name in enumerate(names)]


def test_images_may_be_added_and_removed(tmp_path: Path) -> None:
    do(tmp_path, renumbered(["b", "d", "e", "f"]), failing=[1, 3])
    now = renumbered(["a", "b", "c", "d", "e"])
    with opened(tmp_path, now) as manifest:
        assert done_numbers(manifest, now) == [1, 4]
        assert manifest.counts == {"done": 2, "failed": 0, "skipped": 0}
    lines = list(read_manifest(manifest.path))
    assert [(line["number"], line["name"]) for line in lines] == [(1, "b"), (4, "e"), (None, "f")]
    assert do(tmp_path, now) == [0, 2, 3]
    assert do(tmp_path, now) == []
    assert states(tmp_path) == {**dict.fromkeys("abcde", "done"), "f": "failed"}
    assert do(tmp_path, renumbered(["e", "f"])) == [1]


def test_another_image_of_the_same_name_is_not_held_to_be_done(tmp_path: Path) -> None:
    do(tmp_path, renumbered(["a", "b"]))
    now = [Item(number=0, image="other/a.png", name="a"), Item(number=1, image="b.png", name="b")]
    assert do(tmp_path, now) == [0]
    assert states(tmp_path) == {"a": "done", "b": "done"}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"identity": {"method": "slic", "seed": 0}}, 'with method "hybrid", and .* has "slic"'),
        ({"identity": {"method": "hybrid", "seed": 1}}, "with seed 0, and this command has 1"),
        (
            {"identity": {"method": "hybrid", "seed": 0, "options": {"n_components": 7}}},
            "with n_components 5, and this command has 7",
        ),
        (
            {"identity": {"method": "hybrid", "seed": 0, "options": {}}},
            r"without options, and this command has \{\}|n_components 5, and this command has none",
        ),
        (
            {
                "identity": {
                    "method": "hybrid",
                    "seed": 0,
                    "options": {"n_components": 5},
                    "run": "1a",
                }
            },
            'without run, and this command has "1a"',
        ),
        ({"command": "predict"}, 'with command "segment", and this command has "predict"'),
        ({"version": "9.0"}, 'with segmint "[0-9.]+", and this command has "9.0"'),
    ],
)
def test_other_options_are_refused_unless_they_are_accepted(
    tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    items = items_of(3)
    do(tmp_path, items, failing=[2])
    before = (tmp_path / "manifest.jsonl").read_bytes()
    with pytest.raises(UsageError, match=f"{told}.*: give another --out, --overwrite.*--accept-o"):
        do(tmp_path, items, **changed)
    assert (tmp_path / "manifest.jsonl").read_bytes() == before
    assert do(tmp_path, items, accept_other=True, **changed) == [2]
    assert do(tmp_path, items, **changed) == []
    others = json.loads((tmp_path / "manifest.jsonl").read_text().splitlines()[0])["others"]
    assert [other["identity"]["method"] for other in others] == ["hybrid"]
    with pytest.raises(UsageError):
        do(tmp_path, items)
    assert do(tmp_path, items, overwrite=True) == [0, 1, 2]


def test_tuples_in_options_are_lists(tmp_path: Path) -> None:
    items = items_of(1)
    do(tmp_path, items, identity={"scales": (0.5, 2)})
    assert do(tmp_path, items, identity={"scales": [0.5, 2]}) == []


def test_long_options_are_told_apart_also_at_their_ends(tmp_path: Path) -> None:
    items = items_of(1)
    do(tmp_path, items, identity={"weights": "0" * 100 + "1"})
    with pytest.raises(UsageError):
        do(tmp_path, items, identity={"weights": "0" * 100 + "2"})
    with pytest.raises(UsageError, match="the options take"):
        do(tmp_path / "new", items, identity={"weights": "0" * 2**20})


def test_the_time_at_which_work_began_is_that_of_the_file_system(tmp_path: Path) -> None:
    items = items_of(2)
    finish(tmp_path, items[0])
    os.utime(tmp_path / "0" / "result.json", ns=(0, 10**18))
    with opened(tmp_path, items) as manifest:
        begun = manifest.begun
        manifest.record(items[1], finish(tmp_path, items[1]))
    assert (tmp_path / "0" / "result.json").stat().st_mtime_ns < begun
    assert (tmp_path / "1" / "result.json").stat().st_mtime_ns >= begun
    with opened(tmp_path, items) as manifest:
        assert manifest.begun == begun
    with opened(tmp_path, items_of(3)) as manifest:
        assert manifest.begun == begun
    with opened(tmp_path, items, overwrite=True) as manifest:
        assert manifest.begun > begun


def test_an_overwriting_that_was_stopped_goes_on_as_one(tmp_path: Path) -> None:
    items = items_of(3)
    with opened(tmp_path, items) as manifest:
        assert not manifest.replaces
    with opened(tmp_path, items, overwrite=True) as manifest:
        assert manifest.replaces
        assert manifest.is_overwriting
    with opened(tmp_path, items) as manifest:
        assert manifest.replaces
        assert not manifest.is_overwriting


def test_parts_have_manifests_of_their_own(tmp_path: Path) -> None:
    items = items_of(10)
    with opened(tmp_path, items, part=Part(3, 4)) as third:
        with opened(tmp_path, items, part=Part(1, 4)) as first:
            first.record(items[8], finish(tmp_path, items[8]))
        third.record(items[2], finish(tmp_path, items[2]))
        assert (third.total, first.total) == (2, 3)
    assert third.path.name == "manifest-3-of-4.jsonl"
    with opened(tmp_path, items, part=Part(1, 4)) as first:
        assert done_numbers(first, items) == [8]


def test_a_second_command_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="this system has no locks of this kind")
    items = items_of(2)
    with opened(tmp_path, items):
        with pytest.raises(OutputError, match=r"another process is writing .*manifest\.jsonl"):
            do(tmp_path, items)
        with pytest.raises(OutputError, match="another process"):
            do(tmp_path, items, overwrite=True)
    assert do(tmp_path, items) == [0, 1]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(2000),
        b"image,state\n1.png,done\n",
        b'{"manifest": 2}\n',
        b"[]\n",
    ],
)
def test_a_file_of_something_else_is_left_alone(
    tmp_path: Path, content: bytes, overwrite: bool
) -> None:
    (tmp_path / "manifest.jsonl").write_bytes(content)
    with pytest.raises(InputError, match="is no manifest"):
        do(tmp_path, items_of(2), overwrite=overwrite)
    assert (tmp_path / "manifest.jsonl").read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"{", b'{"manifest": 1, "segm'])
def test_an_empty_manifest_is_begun(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.jsonl").write_bytes(content)
    assert list(read_manifest(tmp_path / "manifest.jsonl")) == []
    assert do(tmp_path, items_of(2)) == [0, 1]


def test_one_that_knows_no_image_yet_is_gone_on_with(tmp_path: Path) -> None:
    with opened(tmp_path, items_of(2)) as manifest:
        begun = manifest.begun
    assert list(read_manifest(manifest.path)) == []
    with opened(tmp_path, items_of(2)) as manifest:
        assert (manifest.begun, manifest.before) == (begun, 0)


def test_folders_links_and_devices_are_refused(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "manifest.jsonl", tmp_path / "elsewhere"
    path.mkdir()
    with pytest.raises(OutputError, match="is a link, a folder or a device"):
        do(tmp_path, items_of(1))
    path.rmdir()
    elsewhere.write_bytes(b"")
    path.symlink_to(elsewhere)
    with pytest.raises(OutputError, match="is a link, a folder or a device"):
        do(tmp_path, items_of(1), overwrite=True)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OutputError, match="is a link, a folder or a device"):
        do(tmp_path, items_of(1))
    assert elsewhere.read_bytes() == b""
    with pytest.raises(OutputError, match="cannot write"):
        do(elsewhere, items_of(1))


def test_one_that_may_not_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:  # as for a user who is not root
        raise PermissionError(errno.EACCES, "Permission denied")

    do(tmp_path, items_of(2))
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match=r"cannot write .*manifest\.jsonl: Permission denied"):
        do(tmp_path, items_of(2))


def test_what_is_left_of_a_rewriting_is_no_hindrance(tmp_path: Path) -> None:
    do(tmp_path, items_of(3), failing=[0])
    (tmp_path / ".partial-manifest.jsonl").write_bytes(b"half a li")
    assert do(tmp_path, items_of(3)) == [0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2", "manifest.jsonl"]


def test_a_line_that_was_copied_counts_once(tmp_path: Path) -> None:
    do(tmp_path, items_of(3))
    path = tmp_path / "manifest.jsonl"
    content = path.read_bytes()
    path.write_bytes(content + content.splitlines(keepends=True)[2])
    with opened(tmp_path, items_of(3)) as manifest:
        assert manifest.counts["done"] == 3
    assert path.read_bytes() == content
