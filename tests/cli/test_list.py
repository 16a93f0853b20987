from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable

import pytest

from segmint.cli import run
from segmint.datasets import datasets
from segmint.metrics.protocols import protocols


def test_data_sets_are_among_what_is_listed(succeeds: Callable[..., tuple[str, str]]) -> None:
    found = json.loads(succeeds("list", "--json")[0])
    assert found["data sets"] == {entry.name: entry.summary for entry in datasets.entries()}
    families = ["methods", "recipes", "terms", "networks", "data sets", "protocols", "commands"]
    assert list(found) == families
    assert found["protocols"] == {entry.name: entry.summary for entry in protocols.entries()}
    assert "\ndata sets\n  voc2012 " in succeeds("list")[0]


def test_closed_streams_are_a_broken_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    assert run(["list"]) == 1
    assert run(["lisp"]) == 2


class _Full(io.StringIO):
    """Standard output on a disk without room."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout", _Full())
    assert run(["list"]) == 1
    assert capsys.readouterr().err == (
        "segmint: cannot write standard output: No space left on device; send it elsewhere\n"
    )
