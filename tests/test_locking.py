from __future__ import annotations

import errno
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segmint.errors import OutputError
from segmint.locking import is_ours, only_writer

pytest.importorskip("fcntl", reason="this system has no locks of this kind")

HOLD = """
import sys, time
from pathlib import Path
from segmint.locking import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_refused_and_welcome_afterwards(tmp_path: Path) -> None:
    with only_writer(tmp_path):
        refused = pytest.raises(OutputError, match="another process is writing")
        with refused, only_writer(tmp_path):
            pass
    with only_writer(tmp_path):
        pass


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputError), only_writer(tmp_path):
            pass
        holder.kill()
        start = time.monotonic()
        with only_writer(tmp_path, patience=20):
            assert time.monotonic() - start < 20


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    with only_writer(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_an_open_file_is_ours_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w+b") as first:
        assert is_ours(first.fileno())
        assert is_ours(first.fileno())
        with path.open("r+b") as second:
            assert not is_ours(second.fileno())
    with path.open("r+b") as second:
        assert is_ours(second.fileno())


def test_a_file_is_ours_where_the_file_system_knows_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", unknown)
    with (tmp_path / "file").open("w+b") as file:
        assert is_ours(file.fileno())
