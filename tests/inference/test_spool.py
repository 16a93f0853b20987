from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmint.errors import InputError, OutputError
from segmint.inference.spool import Spool

RECORDS = {3: [b"abc", b"", b"d" * 5000], 0: [b""], 7: [b"xyz", b"0"]}


def fill(path: Path) -> list[int]:
    """Write the records; returns where each ends."""
    ends = [0]
    with Spool(path) as spool:
        for index, parts in RECORDS.items():
            spool.append(index, parts)
            ends.append(spool.size)
    return ends


def content(spool: Spool) -> dict[int, list[bytes]]:
    return {
        index: [spool.read(index, part) for part in range(len(RECORDS[index]))]
        for index in spool.done
    }


def test_what_was_appended_comes_back(tmp_path: Path) -> None:
    fill(tmp_path / "blocks")
    with Spool(tmp_path / "blocks") as spool:
        assert content(spool) == RECORDS
        assert spool.size == (tmp_path / "blocks").stat().st_size


def test_a_file_cut_anywhere_keeps_its_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    ends = fill(path)
    data = path.read_bytes()
    for cut in {*range(0, len(data), 97), *(end + by for end in ends for by in (-1, 0, 1))}:
        if not 0 <= cut <= len(data):
            continue
        path.write_bytes(data[:cut])
        with Spool(path) as spool:
            whole = sum(end <= cut for end in ends[1:])
            assert content(spool) == dict(list(RECORDS.items())[:whole])
            assert path.stat().st_size == ends[whole]


@settings(max_examples=40)
@given(place=st.integers(0, 5_130), change=st.integers(1, 255))
def test_a_changed_byte_costs_its_record_and_those_after(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    path = tmp_path_factory.mktemp("spool") / "blocks"
    ends = fill(path)
    data = bytearray(path.read_bytes())
    place = min(place, len(data) - 1)
    data[place] ^= change
    path.write_bytes(data)
    with Spool(path) as spool:
        whole = sum(end <= place for end in ends[1:])
        assert content(spool) == dict(list(RECORDS.items())[:whole])


def test_it_goes_on_after_a_torn_record(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    ends = fill(path)
    os.truncate(path, ends[-1] - 1)
    with Spool(path) as spool:
        assert sorted(spool.done) == [0, 3]
        spool.append(7, RECORDS[7])
    with Spool(path) as spool:
        assert content(spool) == RECORDS


def test_cleared_it_is_empty(tmp_path: Path) -> None:
    fill(tmp_path / "blocks")
    with Spool(tmp_path / "blocks") as spool:
        spool.clear()
        assert not spool.done
    assert (tmp_path / "blocks").stat().st_size == 0


def test_a_full_disk_leaves_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "blocks"
    ends = fill(path)
    with Spool(path) as spool:
        write = spool._write
        left = [40]

        def write_until_full(data: bytes) -> None:
            write(data[: left[0]])
            left[0] -= len(data)
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(spool, "_write", write_until_full)
        with pytest.raises(OutputError, match=r"the disk is full; what is finished is kept"):
            spool.append(8, [b"e" * 100])
        assert path.stat().st_size == ends[-1]
        monkeypatch.undo()
        spool.append(8, [b"e"])
    with Spool(path) as spool:
        assert sorted(spool.done) == [0, 3, 7, 8]


def test_a_file_that_shrinks_meanwhile_is_told(tmp_path: Path) -> None:
    ends = fill(tmp_path / "blocks")
    with Spool(tmp_path / "blocks") as spool:
        os.truncate(tmp_path / "blocks", ends[-1] - 1)
        with pytest.raises(InputError, match="was changed meanwhile"):
            spool.read(7, 1)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*blocks"):
        Spool(tmp_path / "missing" / "blocks")
