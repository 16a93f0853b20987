"""The folder of a run: what is in it, whether it is finished, and what becomes of an earlier one.

====================  ===========================================================================
file                  what it holds
====================  ===========================================================================
``config.yaml``       everything that was asked for; ``segmint train --config`` does it once more
``log.csv``           a row an epoch: losses by term, and scores of the validation
``log.txt``           a line an epoch, to read while it learns
``checkpoints/``      ``last.ckpt`` to go on from, ``best.ckpt``
``*.safetensors``     the network that was chosen; of several, ``networks/NAME.safetensors``
``report.html``       curves, scores and pictures, also while it learns; ``examples.png`` of it
``run.json``          the record, written last: a folder with it is a finished run
====================  ===========================================================================
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segmint.errors import InputError, OutputError, UsageError
from segmint.recipes.file_options import FileOptions
from segmint.runs import write_text

RUN = "run.json"
CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"
REPORT = "report.html"
LAST = f"{CHECKPOINTS}/last.ckpt"

_OWN = (
    RUN,
    CHECKPOINTS,
    REPORT,
    "examples.png",
    "log.csv",
    "log.txt",
    "tensorboard",
    "network.safetensors",
    "networks",
    CONFIG,
)
_EARLIER = ".earlier-run"
_FORMAT = "segmint run 1"
_LARGEST_CONFIG = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that was asked of a training."""

    recipe: str
    data: tuple[str, ...]
    """Paths of what was learned from."""
    settings: Mapping[str, Any]
    """Values of the options by section and name, or by name alone."""
    preset: str | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    files: FileOptions = field(default_factory=FileOptions)
    """How images without masks are found and read."""


def write_config(folder: Path, config: Config) -> None:
    """Write ``config.yaml``.

    Raises:
        OutputError: when it cannot be written.
    """
    import yaml

    told = {
        "format": _FORMAT,
        "recipe": config.recipe,
        "preset": config.preset,
        "paths": [str(Path(path).absolute()) for path in config.data],
        "seed": config.seed,
        "device": config.device,
        "precision": config.precision,
        **config.settings,
    }
    if config.files != FileOptions():
        told["files"] = config.files.resolved()
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
    write_text(folder / CONFIG, f"# segmint train --config {CONFIG}\n{text}")


def read_config(path: Path) -> Config:
    """What a ``config.yaml`` asks for; options that it leaves out keep their defaults.

    Raises:
        InputError: when the file is missing, is no such file, or lacks recipe or data.
        UsageError: for an option of how files are read that does not exist or is out of range.
    """
    told = _read_yaml(path)
    if told.get("format") == _FORMAT and told.get("paths") == []:
        raise InputError(
            f"{path} is of a run whose images were given as arrays, which no file holds: learn "
            "from them once more in Python, or write their files into its list of paths"
        )
    missing = [name for name in ("recipe", "paths") if not told.get(name)]
    if told.get("format") != _FORMAT or missing:
        lacks = f"no {' and no '.join(missing)}" if missing else f"format {told.get('format')!r}"
        raise InputError(
            f"{path} is not the configuration of a run ({lacks}), accepted is a config.yaml that "
            f"'segmint train' wrote, with format {_FORMAT!r}: give one"
        )
    data = told.pop("paths")
    paths = tuple(map(str, data)) if isinstance(data, list) else (str(data),)
    own = {name: told.pop(name, None) for name in ("format", "recipe", "preset", "seed")}
    arithmetic = {name: str(told.pop(name, None) or "auto") for name in ("device", "precision")}
    files = told.pop("files", None)
    preset = own["preset"]
    return Config(
        recipe=str(own["recipe"]),
        data=paths,
        settings={str(name): value for name, value in told.items()},
        preset=None if preset is None else str(preset),
        seed=own["seed"] or 0,
        files=FileOptions.from_mapping(files if isinstance(files, dict) else {}),
        **arithmetic,
    )


def is_finished(folder: Path) -> bool:
    """Whether the folder holds a finished run."""
    return (folder / RUN).is_file()


def is_unfinished(folder: Path) -> bool:
    """Whether the folder holds a run that was cut off; a ``config.yaml`` of others is none."""
    return not is_finished(folder) and _is_config(folder / CONFIG)


def check_free(folder: Path) -> None:
    """Refuse a folder whose files are of no run and have names that a run would write.

    Raises:
        UsageError: names the first of them.
    """
    if is_finished(folder) or is_unfinished(folder) or (folder / _EARLIER).is_dir():
        return
    for name in _OWN:
        if (folder / name).exists():
            raise UsageError(
                f"{folder / name} is of no run of segmint, and a run would write there: "
                "give an empty folder, or another --out"
            )


def check_resumable(folder: Path) -> None:
    """Refuse a folder without a run that could go on.

    Raises:
        UsageError: when it holds none, or a finished one.
    """
    if is_finished(folder):
        raise UsageError(
            f"{folder} holds a finished run, so there is nothing to go on with: train anew with "
            f"--config {folder / CONFIG} and another --out, with more --epochs if that is wanted"
        )
    if not is_unfinished(folder):
        raise UsageError(
            f"{folder} holds no run (no {CONFIG} of one): give a folder that 'segmint train' was "
            "writing"
        )


@contextmanager
def earlier_run_kept(folder: Path) -> Iterator[None]:
    """Keep what an earlier run made until the block has ended without error.

    When the block fails before the first checkpoint, the earlier run stands as it was; when it
    fails later, the new one, which can go on, stands, and the earlier one is gone. What a process
    that was killed had put aside comes back first.

    Raises:
        OutputError: when the folder cannot be changed.
    """
    aside = folder / _EARLIER
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        settle(folder)
        _move(_own_files(folder), aside)
    except OSError as error:
        raise OutputError(
            f"cannot change {folder}: {error.strerror or error}; choose another --out"
        ) from error
    try:
        yield
    finally:
        settle(folder)
        for path in made:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def settle(folder: Path) -> None:
    """Let go of the run that was put aside where a new one can stand; else put it back."""
    aside = folder / _EARLIER
    if is_finished(folder) or (is_unfinished(folder) and (folder / LAST).is_file()):
        if aside.is_dir():
            shutil.rmtree(aside)
        return
    for path in _own_files(folder):
        _remove(path)
    if aside.is_dir():
        _move(sorted(aside.iterdir(), key=lambda path: path.name == RUN), folder)
        aside.rmdir()


def _is_config(path: Path) -> bool:
    try:
        return _FORMAT in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _own_files(folder: Path) -> list[Path]:
    if not (is_finished(folder) or is_unfinished(folder)):
        return []  # files of these names are not of a run
    return [folder / name for name in _OWN if (folder / name).exists()]


def _move(paths: list[Path], into: Path) -> None:
    for path in paths:
        into.mkdir(exist_ok=True)
        path.replace(into / path.name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise ValueError("it is too large")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist, accepted is a config.yaml that 'segmint train' wrote: "
            "check the name"
        ) from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} cannot be read as YAML ({reason}): give a config.yaml of a run"
        ) from error
    return found if isinstance(found, dict) else {}
