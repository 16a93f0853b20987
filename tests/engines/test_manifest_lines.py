"""Whatever stands in a manifest: its whole lines are read, and nothing else happens."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from conducting_example import finish, header_of, items_of

from segmint.engines.manifest import Manifest
from segmint.engines.manifest_lines import read_manifest
from segmint.engines.outcome import Outcome
from segmint.errors import InputError

COUNT = 3


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Of a manifest of a few images, with results beside it."""
    out = tmp_path_factory.mktemp("content")
    items = items_of(COUNT)
    with Manifest.open(out, header_of(items), items) as manifest:
        for item in items:
            manifest.record(item, finish(out, item))
    return manifest.path.read_bytes()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for item in items_of(COUNT):
        finish(tmp_path, item)
    return tmp_path


def test_a_manifest_may_end_anywhere(
    content: bytes, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    path, items = out / "manifest.jsonl", items_of(COUNT)
    last = content.rindex(b"\n", 0, -1)
    for length in (*range(0, last, 11), *range(last, len(content))):
        path.write_bytes(content[:length])
        whole = max(0, content[:length].count(b"\n") - 1)
        assert [line["number"] for line in read_manifest(path)] == list(range(whole))
        with Manifest.open(out, header_of(items), items) as manifest:
            assert manifest.before == whole
            for item in items[whole:]:
                manifest.record(item, finish(out, item))
        assert path.read_bytes().split(b"\n")[1:] == content.split(b"\n")[1:]


@given(data=st.data())
def test_a_damaged_manifest_is_refused_or_read_but_nothing_else(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.jsonl"
    at = data.draw(st.integers(0, len(content)))
    removed = data.draw(st.integers(0, 200))
    path.write_bytes(content[:at] + data.draw(st.binary(max_size=50)) + content[at + removed :])
    try:
        lines = list(read_manifest(path))
    except InputError:
        return
    assert all(line["state"] in ("done", "failed", "skipped") for line in lines)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"\x00\x00\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"number": ' + b"9" * 5000 + b"}\n",
        b"[1]\n",
        b'{"number": 0, "image": "a", "name": "a"}\n',
        b'{"number": 0, "image": "a", "name": "a", "state": "gone"}\n',
        b'{"number": -1, "image": "a", "name": "a", "state": "done"}\n',
        b'{"number": true, "image": "a", "name": "a", "state": "done"}\n',
        b'{"number": 1e3, "image": "a", "name": "a", "state": "done"}\n',
        b'{"number": 99999999999999999999, "image": "a", "name": "a", "state": "done"}\n',
        b'{"number": 0, "image": 1, "name": "a", "state": "done"}\n',
        b'{"number": 0, "image": "a", "name": ["a"], "state": "done"}\n',
        b'{"number": 0, "image": "a", "name": "a", "state": ["done"]}\n',
        b"x" * (1 << 21),
    ],
)
def test_a_line_that_is_none_is_named(content: bytes, out: Path, line: bytes) -> None:
    header, *lines = content.splitlines(keepends=True)
    path, items = out / "manifest.jsonl", items_of(COUNT)
    path.write_bytes(b"".join([header, *lines[:2], line, *lines[2:]]))
    with pytest.raises(InputError, match=r"line 4 of .*manifest\.jsonl is damaged: remove"):
        list(read_manifest(path))
    refused = pytest.raises(InputError, match="line 4 of")
    with refused, Manifest.open(out, header_of(items), items):
        pass
    with Manifest.open(out, header_of(items), items, overwrite=True) as manifest:
        assert manifest.before == 0


def test_an_image_that_there_is_not_is_refused(content: bytes, out: Path) -> None:
    path, items = out / "manifest.jsonl", items_of(COUNT)
    path.write_bytes(content.replace(b'"number": 2', b'"number": 2000000'))
    refused = pytest.raises(InputError, match=r"line 4 of .* image 2,000,000, .* from 0 to 2")
    with refused, Manifest.open(out, header_of(items), items):
        pass


@pytest.mark.parametrize("name", ["../..", "/etc", "a\\u0000b", "x" * 5000])
def test_names_in_a_manifest_lead_nowhere(content: bytes, out: Path, name: str) -> None:
    path, items = out / "manifest.jsonl", items_of(COUNT)
    path.write_bytes(content.replace(b'"name": "2"', f'"name": "{name}"'.encode()))
    with Manifest.open(out, header_of(items), items) as manifest:
        assert not manifest.is_done(items[2])
        assert manifest.before == COUNT - 1


def test_headers_that_are_none_are_refused(content: bytes, out: Path) -> None:
    path = out / "manifest.jsonl"
    header = json.loads(content.splitlines()[0])
    for name, value in {
        "part": "9/3",
        "others": {},
        "begun": "now",
        "identity": [],
        "manifest": 2,
        "count": None,
    }.items():
        path.write_text(json.dumps({**header, name: value}) + "\n")
        with pytest.raises(InputError, match="is no manifest that this version"):
            list(read_manifest(path))


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_manifest(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="is no file"):
        list(read_manifest(tmp_path))


def test_it_is_read_while_it_is_written(tmp_path: Path) -> None:
    items = items_of(3)
    with Manifest.open(tmp_path, header_of(items), items) as manifest:
        for item in items:
            bad = Outcome(number=item.number, state="failed", sentence=f"{item.image} is empty")
            manifest.record(item, bad)
            lines = list(read_manifest(manifest.path))
            assert len(lines) == item.number + 1
            assert lines[-1]["sentence"] == f"{item.number}.png is empty"
