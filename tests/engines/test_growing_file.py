"""Lines that are appended are whole, whatever the disk does."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from segmint.engines.growing_file import growing_file
from segmint.errors import OutputError

LIMITED = """
import resource, signal, sys
from pathlib import Path
from segmint.engines.growing_file import growing_file
from segmint.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with growing_file(Path(sys.argv[1])) as file:
    file.append(b"first\\n")
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, resource.RLIM_INFINITY))
    for line in (b"x" * 30 + b"\\n", b"second\\n", b"y" * 30 + b"\\n"):
        try:
            file.append(line)
        except OutputError as error:
            sys.stdout.write(f"{error}\\n")
    try:
        file.replace([b"z" * 100])
    except OutputError as error:
        sys.stdout.write(f"{error}\\n")
"""


def test_a_line_that_finds_no_room_leaves_nothing_of_itself(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="this system has no limits of the size of files")
    path = tmp_path / "lines"
    told = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True
    )
    assert told.stdout.count(f"cannot write {path}: ") == 3
    assert path.read_bytes() == b"first\nsecond\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_and_what_was_written_stays(small_disk: Path) -> None:
    path = small_disk / "lines"
    line = b"x" * 999 + b"\n"
    with growing_file(path) as file:
        for _ in range(40):
            file.append(line)
        with pytest.raises(OutputError, match="the disk is full; what is finished is kept"):
            for _ in range(40):
                file.append(line)
        count = path.stat().st_size // len(line)
        assert 40 < count < 80
        with pytest.raises(OutputError, match="the disk is full"):
            file.replace([line] * count)
        assert list(small_disk.iterdir()) == [path]
        assert path.read_bytes() == line * count
        file.cut(len(line))
        file.append(line)
    assert path.read_bytes() == line * 2


def test_what_is_written_in_pieces_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:3]))
    with growing_file(tmp_path / "lines") as file:
        file.append(b"eleven bytes\n")
    assert (tmp_path / "lines").read_bytes() == b"eleven bytes\n"


def test_half_a_line_that_cannot_be_cut_off_goes_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, truncate = os.write, os.ftruncate

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def half(handle: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", broken)
        return write(handle, data[:3])

    with growing_file(tmp_path / "lines") as file:
        monkeypatch.setattr(os, "write", half)
        monkeypatch.setattr(os, "ftruncate", broken)
        with pytest.raises(OutputError, match="Input/output error"):
            file.append(b"first\n")
        assert (tmp_path / "lines").read_bytes() == b"fir"
        monkeypatch.setattr(os, "write", write)
        monkeypatch.setattr(os, "ftruncate", truncate)
        file.append(b"second\n")
    assert (tmp_path / "lines").read_bytes() == b"second\n"


def test_it_is_ours_also_after_it_was_replaced(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="this system has no locks of this kind")
    path = tmp_path / "lines"
    with growing_file(path) as file:
        file.append(b"old\n")
        file.replace([b"new\n", b"er\n"])
        file.append(b"newest\n")
        refused = pytest.raises(OutputError, match="another process is writing")
        with refused, growing_file(path):
            pass
        file.cut(4)
    with growing_file(path) as file:
        file.append(b"last\n")
    assert path.read_bytes() == b"new\nlast\n"


def test_one_that_is_replaced_while_it_is_opened_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "lines", tmp_path / "other"
    path.write_bytes(b"old\n")
    other.write_bytes(b"new\n")

    def replaced(handle: int) -> bool:
        if other.exists():
            other.replace(path)
        return True

    monkeypatch.setattr("segmint.engines.growing_file.is_ours", replaced)
    with growing_file(path) as file:
        file.append(b"newer\n")
    assert path.read_bytes() == b"new\nnewer\n"


def test_lines_that_fail_replace_nothing(tmp_path: Path) -> None:
    def lines() -> Iterator[bytes]:
        yield b"new\n"
        raise KeyboardInterrupt

    with growing_file(tmp_path / "lines") as file:
        file.append(b"old\n")
        with pytest.raises(KeyboardInterrupt):
            file.replace(lines())
        file.append(b"older\n")
    assert (tmp_path / "lines").read_bytes() == b"old\nolder\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "lines"]


def test_it_is_forced_to_the_disk_less_often_where_that_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, synced = [0.0], []

    def sync(handle: int) -> None:
        synced.append(now[0])
        now[0] += 0.125

    monkeypatch.setattr("segmint.engines.growing_file.time.monotonic", lambda: now[0])
    monkeypatch.setattr(os, "fsync", sync)
    with growing_file(tmp_path / "lines") as file:
        for _ in range(60):
            now[0] += 0.5
            file.append(b"line\n")
    first, second, *_ = synced
    assert first == 1.0
    assert 12.5 <= second - first <= 13.5, "an eighth of a second is a hundredth of 12.5 seconds"
