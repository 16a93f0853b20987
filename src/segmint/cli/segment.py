"""``segmint segment``: segment images without labels."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from segmint.cli.inputs import EngineOptions, InputOptions, RunOptions, SceneOptions, missing
from segmint.cli.parameters import signature
from segmint.cli.segment_options import SegmentOptions
from segmint.errors import UsageError
from segmint.methods import DEFAULT_METHOD, methods
from segmint.methods.method import Method

_HELP = """Segment images without labels, or from a few scribbles.

IMAGE is a file, a folder or a pattern. Each image gets a folder of its own with labels.png, an
overlay.png to look at, components.csv and result.json; several get a report.html that shows all.

Examples: 'segmint segment photo.jpg', 'segmint segment scans/ --out labels --components 5',
'segmint segment photo.jpg --method clustering --preset kim2020 --frames'.

Args:
    images: files, folders or patterns like 'scans/*.png'; lists of files (.txt), tables with a
        column 'image' (.csv, .parquet), and Zarr folders of several images.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command, with the options of the method that the arguments name."""
    name = _method_in(arguments)
    method: Method = methods.load(name)

    def segment(
        *images: str,
        chosen: Mapping[str, Any],
        inputs: Mapping[str, Any],
        engine: Mapping[str, Any],
        scenes: Mapping[str, Any],
        how: Mapping[str, Any],
        given: Mapping[str, Any],
    ) -> int:
        return _segment(
            images,
            SegmentOptions(**chosen),
            InputOptions(**inputs),
            EngineOptions(**engine),
            SceneOptions(**scenes),
            RunOptions(**how),
            given,
            arguments,
        )

    return signature(
        segment,
        summary=_HELP,
        chosen=("Segmentation", SegmentOptions),
        given=(f"Options of {name}", method.options),
        inputs=("Input and output", InputOptions),
        engine=("Many images", EngineOptions),
        scenes=("Large images", SceneOptions),
        how=("Arithmetic", RunOptions),
    )


def _segment(
    images: Sequence[str],
    options: SegmentOptions,
    inputs: InputOptions,
    engine: EngineOptions,
    scenes: SceneOptions,
    how: RunOptions,
    given: Mapping[str, Any],
    arguments: Sequence[str],
) -> int:
    from segmint.cli.collecting import collect
    from segmint.cli.engine import run_job
    from segmint.cli.segment_job import SegmentJob

    job = SegmentJob(inputs=inputs, how=how, options=options, scenes=scenes, given=given)
    described = job.signature
    items = collect(images, inputs, options.channels, part=engine.part)
    _check(options, inputs, len(items))

    def write_page(folder: Path, failures: Sequence[str], untried: int) -> Path | None:
        from segmint.reports.segment_page import Asked, write_segment_page

        asked = Asked(
            words=("segment", *arguments), **described, failures=failures, untried=untried
        )
        return write_segment_page(folder, asked)

    return run_job(
        job,
        items,
        engine,
        command="segment",
        here=_why_here(options),
        write_page=None if options.skip_report else write_page,
    )


def _why_here(options: SegmentOptions) -> str | None:
    """The option that only the command itself can serve."""
    if options.show:
        return "--show"
    return "--save-model" if options.save_model is not None else None


def _check(options: SegmentOptions, inputs: InputOptions, images: int) -> None:
    """Refuse what no image could be segmented with, before the first is read."""
    from segmint.methods.segment import check_abilities

    model = options.save_model
    check_abilities(
        options.method, scribbles=options.scribbles is not None, save_model=model is not None
    )
    if options.scribbles is not None and not Path(options.scribbles).exists():
        raise missing("scribbles", options.scribbles)
    if model is None:
        return
    if images > 1:
        raise UsageError(
            f"--save-model keeps the network of one image, but {images} were named: "
            f"name one, or learn one network for all with 'segmint train {options.method}'"
        )
    if Path(model).is_dir():
        raise UsageError(f"--save-model {model} is a folder: name a file, {model}/network")
    if Path(model).exists() and not inputs.overwrite:
        raise UsageError(f"{model} is there already: pass --overwrite or another --save-model")


def _method_in(arguments: Sequence[str]) -> str:
    """The method that the arguments name, before they are parsed."""
    name = DEFAULT_METHOD
    for argument, following in itertools.pairwise([*arguments, "-"]):
        if argument == "--method" and not following.startswith("-"):
            name = following
        elif argument.startswith("--method="):
            name = argument.partition("=")[2]
    return methods.entry(name).name


def methods_with(option: str) -> list[str]:
    """The methods that have a long option, ``--components``."""
    name = option.removeprefix("--").replace("-", "_")
    return [method for method in methods if name in methods.load(method).options.names()]
