"""What killed workers leave is removed, and nothing that anybody may still write."""

from __future__ import annotations

import os
import time
from pathlib import Path

from segmint.engines.leftovers import remove_leftovers


def age(path: Path, hours: float) -> None:
    then = time.time() - 3600 * hours
    os.utime(path, (then, then), follow_symlinks=False)


def test_only_what_is_old_and_not_whole_goes(tmp_path: Path) -> None:
    for name in ("photo", ".partial-old", ".partial-young"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_text("{}")
    (tmp_path / ".partial-old.jsonl").write_text("")
    (tmp_path / ".partial-link").symlink_to(tmp_path / "photo")
    for name in ("photo", ".partial-old", ".partial-old.jsonl", ".partial-link"):
        age(tmp_path / name, hours=2)
    age(tmp_path / ".partial-young", hours=0.5)
    assert remove_leftovers(tmp_path) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"photo", ".partial-young"}
    assert (tmp_path / "photo/result.json").exists()


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / "out") == 0
