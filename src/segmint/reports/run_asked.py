"""What was asked of a run: its command line, and where it departs from its recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from segmint.errors import SegmintError
from segmint.recipes import recipes
from segmint.recipes.file_options import FileOptions
from segmint.recipes.recipe import Recipe
from segmint.recipes.run_folder import CONFIG, Config, read_config
from segmint.recipes.settings import plain, resolve
from segmint.reports.page import Cell, Command, Section, Table
from segmint.reports.shell import shell_line


def asked_section(record: Mapping[str, Any], folder: Path, facts: Mapping[str, str]) -> Section:
    """The chapter.

    Args:
        record: of the run.
        folder: of the run.
        facts: names and values of what decided it.
    """
    table = options_table(record)
    return Section(
        title="What was asked",
        text=() if table else ("All options are the recipe's own.",),
        tables=() if table is None else (table,),
        commands=_commands(record, folder),
        facts=facts,
    )


def options_table(record: Mapping[str, Any]) -> Table | None:
    """The options that are not the recipe's own, or None when all are."""
    rows = [
        (Cell(text=f"{section}.{name}"), Cell(text=_shown(value)), Cell(text=_shown(usual)))
        for section, name, value, usual in _departures(record)
    ]
    if not rows:
        return None
    preset = f" The preset {record['preset']} gave some of them." if record.get("preset") else ""
    return Table(
        columns=("option", "this run", f"recipe {record['recipe']}"),
        rows=tuple(rows),
        caption="Options that are not the recipe's own." + preset,
    )


def asked_line(record: Mapping[str, Any], folder: Path, config: Config) -> str:
    """A command line that asks for the same, whatever line or script asked first.

    Args:
        record: of the run.
        folder: of the run.
        config: its configuration, which knows the paths of its images.
    """
    words: list[object] = ["train", record["recipe"], *config.data, "--out", folder]
    own = {"seed": config.seed, "device": config.device, "precision": config.precision}
    usual = {"seed": 0, "device": "auto", "precision": "auto", **FileOptions().resolved()}
    for name, value in {**own, **config.files.resolved()}.items():
        if value != usual[name]:
            flag = f"--{name.replace('_', '-')}"
            words += [flag] if value is True else [flag, value]
    changed = [
        f"{section}.{name}={_written(value)}" for section, name, value, _ in _departures(record)
    ]
    return shell_line([*words, *(["--set", *changed] if changed else [])])


def _commands(record: Mapping[str, Any], folder: Path) -> tuple[Command, ...]:
    try:
        config = read_config(folder / CONFIG)
    except SegmintError:
        return ()  # learned from arrays, which no command line can name, or the file was removed
    line = asked_line(record, folder, config)
    return (Command(line=line, purpose="As a command:"),)


def _departures(record: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """Section, name, value and the recipe's own value of every option that differs."""
    recipe: Recipe = recipes.load(record["recipe"])
    for section, options in plain(resolve(recipe, {})).items():
        for name, usual in options.items():
            value = record["options"].get(section, {}).get(name, usual)
            if value != usual:
                yield section, name, value, usual


def _written(value: Any) -> str:
    """A value as ``--set`` reads it."""
    import yaml

    if isinstance(value, str) and _is_number(value):
        return json.dumps(value)
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _is_number(text: str) -> bool:
    """Whether a word would be read as a number where it stands without quotes."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
