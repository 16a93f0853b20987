from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.recipes import recipes
from segmint.recipes.file_options import FileOptions
from segmint.recipes.run import Run
from segmint.recipes.run_folder import Config, read_config
from segmint.recipes.settings import assignments, plain, resolve
from segmint.reports.run_asked import asked_line, asked_section

WORDS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    WORDS,
    st.lists(WORDS, max_size=3),
)


def asked_of(line: str) -> dict[str, Any]:
    """What a command line sets."""
    words = shlex.split(line)
    return assignments(words[words.index("--set") + 1 :]) if "--set" in words else {}


@given(VALUES)
def test_every_value_is_written_so_that_it_is_read_as_the_same(value: Any) -> None:
    options = plain(resolve(recipes.load("unet"), {}))
    options["network"]["weights"] = value
    record = {"recipe": "unet", "options": options}
    config = Config(recipe="unet", data=("data",), settings={})
    found = asked_of(asked_line(record, Path("run"), config))
    assert found == ({} if value is None else {"network.weights": value})


def test_the_line_asks_for_the_same_as_the_run_was_asked(cells_run: Run) -> None:
    config = read_config(cells_run.folder / "config.yaml")
    line = asked_line(cells_run.record, cells_run.folder, config)
    words = shlex.split(line)
    assert words[:4] == ["segmint", "train", "unet", str(cells_run.folder.with_name("data"))]
    assert plain(resolve(recipes.load("unet"), asked_of(line))) == cells_run.record["options"]


def test_files_seed_and_arithmetic_are_told_where_they_are_not_the_usual() -> None:
    record = {"recipe": "clustering", "options": plain(resolve(recipes.load("clustering"), {}))}
    usual = Config(recipe="clustering", data=("a b", "c"), settings={})
    assert asked_line(record, Path("run"), usual) == ("segmint train clustering 'a b' c --out run")
    files = FileOptions(recursive=True, pages="first")
    other = Config(recipe="clustering", data=("a",), settings={}, seed=3, device="cpu", files=files)
    assert asked_line(record, Path("run"), other) == (
        "segmint train clustering a --out run --seed 3 --device cpu --recursive --pages first"
    )


@pytest.mark.parametrize("there", [True, False])
def test_without_its_configuration_the_chapter_has_no_line(there: bool, tmp_path: Path) -> None:
    record = {"recipe": "unet", "options": plain(resolve(recipes.load("unet"), {}))}
    if there:
        from segmint.recipes.run_folder import write_config

        write_config(tmp_path, Config(recipe="unet", data=("data",), settings=record["options"]))
    section = asked_section(record, tmp_path, {"seed": "0"})
    assert len(section.commands) == there
    assert section.text == ("All options are the recipe's own.",)
