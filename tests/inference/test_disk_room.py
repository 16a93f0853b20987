from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from segmint.errors import OutputError
from segmint.inference.disk_room import check_room


def test_what_does_not_fit_is_told_in_gibibytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=7 * 2**30 // 10))
    check_room(tmp_path, 7 * 2**30 // 10, "a result")
    with pytest.raises(OutputError) as refused:
        check_room(tmp_path / "not" / "there", 19 * 2**30 // 10, "a result")
    assert str(refused.value) == (
        f"a result needs up to 1.9 GiB in {tmp_path / 'not' / 'there'}, free are 0.7 GiB: "
        "free some space or write to another place"
    )
    assert not (tmp_path / "not").exists()
