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
from segmint.reports.peer_facts import peer_facts
from segmint.reports.shell import shell_line

_ENDS = {
    "epochs": "all epochs were done",
    "max_time": "the time was up",
    "patience": "the score had not risen for a while",
    "enough": "nothing changed any more",
}


def run_facts(run: Run, parameters: Mapping[str, int]) -> dict[str, str]:
    """Names and values of what decided a run.

    Args:
        run: of any recipe.
        parameters: as :func:`parameters_by_network` counts them.
    """
    return dict(_facts(run, parameters))


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
    # The working folder and the one above it have a name only where they are spelled out.
    named = folder if folder.name not in ("", "..") else folder.resolve()
    again = named.parent / f"{named.name}-again"
    commands: list[tuple[str, tuple[object, ...]]] = [
        (
            "The same training once more:",
            ("train", "--config", folder / CONFIG, "--out", again),
        )
    ]
    if run.recipe.takes_dataset:
        place = () if data is None else (data,)
        commands.append(("Every score of the run:", ("evaluate", folder, *place)))
    commands.append(("What it says of other images:", ("predict", folder, "IMAGE")))
    commands += [(purpose, ("predict", folder, "IMAGE", *words)) for purpose, words in _asked(run)]
    return tuple(Command(line=shell_line(words), purpose=purpose) for purpose, words in commands)


def parameters_of(folder: Path) -> int:
    """How many numbers the networks of a run have learned.

    The files of an ensemble are of the same networks at another epoch and not counted again.

    Raises:
        InputError: when a file of a network cannot be read.
    """
    return sum(map(_count, _network_files(folder)))


def parameters_by_network(run: Run) -> dict[str, int]:
    """How many numbers each network of a run has learned, by the name of its peer or its file.

    Raises:
        InputError: when a file of a network cannot be read.
    """
    if run.peers:
        return {peer["name"]: _count(run.folder / peer["file"]) for peer in run.record["peers"]}
    return {file.stem: _count(file) for file in _network_files(run.folder)}


def _network_files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.safetensors"), *folder.glob("networks/*.safetensors")])


def _count(file: Path) -> int:
    from segmint.networks.storage import load_network

    return sum(parameter.numel() for parameter in load_network(file).parameters())


def _asked(run: Run) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a run with peers can be asked beside its own answer."""
    others = [name for name in run.peers if name != run.peer]
    if others:
        beside = f" ({', '.join(others[1:])} likewise)" if len(others) > 1 else ""
        yield f"What {others[0]} says of them{beside}:", ("--peer", others[0])
        yield "Where its peers disagree, as a map in bits and a picture:", ("--uncertainty",)


def _facts(run: Run, parameters: Mapping[str, int]) -> Iterator[tuple[str, str]]:
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
    if run.peers:
        yield from peer_facts(record, parameters)
    else:
        name = options.get("network", {}).get("network")
        count = sum(parameters.values())
        yield "network", f"{f'{name}, ' if name else ''}{count:,} parameters"
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
