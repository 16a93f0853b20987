"""What a run is, in names and values, and the commands that do it once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from segmint.errors import SegmintError
from segmint.recipes import recipes
from segmint.recipes.run import Run
from segmint.recipes.run_folder import CONFIG, LAST, read_config
from segmint.reports.page import Command
from segmint.reports.peer_facts import peer_facts
from segmint.reports.shell import shell_line
from segmint.reports.unfinished_run import UnfinishedRun
from segmint.solvers.epoch_line import clock_time

_ENDS = {
    "epochs": "all epochs were done",
    "max_time": "the time was up",
    "patience": "the score had not risen for a while",
    "enough": "nothing changed any more",
}

_LONG = 60.0
"""Seconds from which a duration is told in minutes, too."""


def asked_facts(run: Run, parameters: Mapping[str, int]) -> dict[str, str]:
    """What decided a run: its recipe, networks, loss, seed and arithmetic.

    Args:
        run: of any recipe.
        parameters: as :func:`parameters_by_network` counts them.
    """
    return dict(_asked_facts(run, parameters))


def course_facts(record: Mapping[str, Any]) -> dict[str, str]:
    """How far a run came, and why it ended."""
    return dict(_course(record))


def time_facts(record: Mapping[str, Any], predictions: Sequence[float] = ()) -> dict[str, str]:
    """How long it took to learn, and takes to predict.

    Args:
        record: of the run.
        predictions: seconds of some images, or the mean over many.
    """
    return dict(_times(record, predictions))


def run_commands(run: Run, data: Path | None) -> tuple[Command, ...]:
    """How to learn once more, to score and to predict.

    Args:
        run: of any recipe.
        data: root of the data set, where it is not the one the run learned from.
    """
    folder = run.folder
    commands: list[tuple[str, tuple[object, ...]]] = [_once_more(folder)]
    if run.recipe.takes_dataset:
        place = () if data is None else (data,)
        commands.append(("Every score of the run:", ("evaluate", folder, *place)))
    commands.append(("What it says of other images:", ("predict", folder, "IMAGE")))
    commands += [(purpose, ("predict", folder, "IMAGE", *words)) for purpose, words in _asked(run)]
    return _as_commands(commands)


def unfinished_commands(run: UnfinishedRun) -> tuple[Command, ...]:
    """How to go on with a training that has not ended, and to look again."""
    commands: list[tuple[str, tuple[object, ...]]] = []
    if (run.folder / LAST).is_file():
        purpose = "Go on from the last checkpoint, where the training was cut off:"
        commands.append((purpose, ("train", "--resume", run.folder)))
    commands.append(("This page as things are then:", ("report", run.folder)))
    return _as_commands([*commands, _once_more(run.folder)])


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


def _once_more(folder: Path) -> tuple[str, tuple[object, ...]]:
    # The working folder and the one above it have a name only where they are spelled out.
    named = folder if folder.name not in ("", "..") else folder.resolve()
    again = named.parent / f"{named.name}-again"
    words = ("train", "--config", folder / CONFIG, "--out", again)
    return "The same training once more:", words


def _as_commands(commands: Iterable[tuple[str, tuple[object, ...]]]) -> tuple[Command, ...]:
    return tuple(Command(line=shell_line(words), purpose=purpose) for purpose, words in commands)


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


def _asked_facts(run: Run, parameters: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    record, options = run.record, run.record["options"]
    yield "recipe", f"{record['recipe']}: {recipes.entry(record['recipe']).summary}"
    if "peers" in options:
        yield from peer_facts(record, parameters)
    else:
        name = options.get("network", {}).get("network")
        known = [f"{sum(parameters.values()):,} parameters"] if parameters else []
        told = ", ".join([*([name] if name else []), *known])
        if told:
            yield "network", told
    if "loss" in options:
        yield "loss", str(options["loss"]["objective"])
    yield "seed", str(record["seed"])
    yield from _arithmetic(run.folder)


def _course(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    history = record.get("history") or [{}]
    if "epoch" in history[-1]:
        steps = f", {record['steps']:,} steps" if "steps" in record else ""
        yield "epochs", f"{history[-1]['epoch']:g}{steps}"
    best = record.get("best") or {}
    if best.get("score") is not None:
        yield "best epoch", f"{best['epoch']}, validation mean IoU {best['score']:.3f}"
    if "stopped" in record:
        yield "ended because", _ENDS.get(record["stopped"], str(record["stopped"]))


def duration(seconds: float) -> str:
    """Seconds, or from a minute on what a clock shows, with its units.

    Example:
        >>> duration(12.34), duration(75), duration(3700)
        ('12.3 s', '1:15 min', '1:01:40 h')
    """
    if seconds < _LONG:
        return f"{seconds:.1f} s"
    return f"{clock_time(seconds)} {'h' if seconds >= 60 * _LONG else 'min'}"


def _times(record: Mapping[str, Any], predictions: Sequence[float]) -> Iterator[tuple[str, str]]:
    seconds, steps = record.get("seconds"), record.get("steps")
    if seconds is not None:
        yield "training", f"{duration(seconds)}, validations included"
        if steps:
            yield "a step", f"{seconds / steps:.3f} s, its share of the validations included"
    if predictions:
        mean = sum(predictions) / len(predictions)
        yield "prediction", f"{mean:.3f} s an image"


def _arithmetic(folder: Path) -> Iterator[tuple[str, str]]:
    """Device and precision as they were asked for."""
    try:
        config = read_config(folder / CONFIG)
    except SegmintError:
        return
    yield "device", _resolved(config.device)
    yield "precision", config.precision


def _resolved(device: str) -> str:
    """What was asked for, and what that is on this machine."""
    from segmint.devices import choose_device

    if device != "auto":
        return device
    return f"auto, which is {choose_device(device)} here"
