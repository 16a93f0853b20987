"""What a run is: how it learned, from what, and the commands that do it once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from segmint.errors import SegmintError
from segmint.recipes import recipes
from segmint.recipes.recipe import Recipe
from segmint.recipes.run import Run
from segmint.recipes.run_folder import CONFIG, read_config
from segmint.recipes.settings import plain, resolve
from segmint.reports.page import Cell, Command, Table
from segmint.reports.shell import shell_line

_ENDS = {
    "epochs": "all epochs were done",
    "max_time": "the time was up",
    "patience": "the score had not risen for a while",
    "enough": "nothing changed any more",
}


def run_facts(run: Run) -> dict[str, str]:
    """Names and values of what decided a run."""
    return dict(_facts(run))


def options_table(run: Run) -> Table | None:
    """The options that are not the recipe's own, or None when all are."""
    record = run.record
    recipe: Recipe = recipes.load(record["recipe"])
    own = plain(resolve(recipe, {}))
    rows = [
        (Cell(text=f"{section}.{name}"), Cell(text=_shown(value)), Cell(text=_shown(usual)))
        for section, options in own.items()
        for name, usual in options.items()
        if (value := record["options"].get(section, {}).get(name, usual)) != usual
    ]
    if not rows:
        return None
    preset = f" The preset {record['preset']} gave some of them." if record.get("preset") else ""
    return Table(
        columns=("option", "this run", f"recipe {record['recipe']}"),
        rows=tuple(rows),
        caption="Options that are not the recipe's own." + preset,
    )


def run_commands(run: Run, data: Path | None) -> tuple[Command, ...]:
    """How to learn once more, to score and to predict.

    Args:
        run: of any recipe.
        data: root of the data set, where it is not the one the run learned from.
    """
    folder = run.folder
    again = f"{folder.name}-again"
    commands: list[tuple[str, tuple[object, ...]]] = [
        (
            "The same training once more:",
            ("train", "--config", folder / CONFIG, "--out", folder.with_name(again)),
        )
    ]
    if run.recipe.takes_dataset:
        place = () if data is None else (data,)
        commands.append(("Every score of the run:", ("evaluate", folder, *place)))
    commands.append(("What it says of other images:", ("predict", folder, "IMAGE")))
    return tuple(Command(line=shell_line(words), purpose=purpose) for purpose, words in commands)


def parameters_of(folder: Path) -> int:
    """How many numbers the networks of a run have learned.

    Raises:
        InputError: when a file of a network cannot be read.
    """
    from segmint.networks.storage import load_network

    files = [*folder.glob("*.safetensors"), *folder.glob("networks/*.safetensors")]
    return sum(parameter.numel() for file in files for parameter in load_network(file).parameters())


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    record, options = run.record, run.record["options"]
    yield "recipe", recipes.entry(record["recipe"]).summary
    told = record.get("dataset")
    if isinstance(told, dict):
        yield "data set", f"{told['name']} in {told['root']}"
        yield "learned from", f"{told['train_split']}, {_images(told['train_images'])}"
        chosen = f"{told['val_split']}, {_images(told['val_images'])}"
        yield "network chosen on", chosen if told["val_images"] else "nothing: it is the last one"
        yield "classes", str(len(record["classes"]))
    else:
        yield "learned from", _images(len(record.get("images", ())))
        yield "components", str(record.get("components", "-"))
    name = options.get("network", {}).get("network")
    yield "network", f"{f'{name}, ' if name else ''}{parameters_of(run.folder):,} parameters"
    if "loss" in options:
        yield "loss", str(options["loss"]["objective"])
    yield from _course(record)
    yield "seed", str(record["seed"])
    yield from _arithmetic(run.folder)
    yield from record.get("versions", {}).items()


def _course(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    history = record.get("history") or [{}]
    if "epoch" in history[-1]:
        steps = f", {record['steps']:,} steps" if "steps" in record else ""
        yield "epochs", f"{history[-1]['epoch']:g}{steps}"
    if "stopped" in record:
        yield "ended because", _ENDS.get(record["stopped"], str(record["stopped"]))
    yield "time", f"{record['seconds']:.1f} s"


def _arithmetic(folder: Path) -> Iterator[tuple[str, str]]:
    """Device and precision as they were asked for."""
    try:
        config = read_config(folder / CONFIG)
    except SegmintError:
        return
    yield "device", config.device
    yield "precision", config.precision


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
