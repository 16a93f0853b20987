"""``segmint train``: learn from a folder of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.console import counted
from segmint.cli.inputs import RunOptions
from segmint.cli.parameters import signature
from segmint.devices import use_threads
from segmint.errors import InputError, SegmintError, UsageError
from segmint.images.choices import MAX_PIXELS, PAGE_CHOICES
from segmint.options import Options, option
from segmint.recipes import recipes
from segmint.recipes.recipe import Recipe

if TYPE_CHECKING:
    from segmint.images import Image


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Options):
    """What to read and where the run goes."""

    out: str = option("segmint-run", aliases=("output",))
    """Folder for the run."""
    overwrite: bool = option(False)
    """Learn again where a finished run is."""
    recursive: bool = option(False)
    """Look into the folders of the folder, too."""
    pages: str = option("auto", choices=PAGE_CHOICES)
    """What the pages of a multi-page file are."""
    max_pixels: int = option(MAX_PIXELS, low=1)
    """Refuse files that announce more pixels than this."""
    quiet: bool = option(False)
    """Print no progress."""


_HELP = """Learn from a folder of images.

The run folder keeps the network, and 'segmint predict RUN IMAGE...' applies it with the same
components in the same colors.

Example: 'segmint train clustering photos/ --out run --components 6'.

Args:
    recipe: what to learn by; 'segmint list' shows the recipes.
    data: folder of images, a file or a pattern.
    more: further folders, files or patterns.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command, with the options of the recipe that the arguments name."""
    named = [argument for argument in arguments[:1] if not argument.startswith("-")]
    name = recipes.entry(named[0]).name if named else next(iter(recipes))
    chosen: Recipe = recipes.load(name)

    def train(
        recipe: str,
        data: str,
        /,
        *more: str,
        given: Mapping[str, Any],
        inputs: Mapping[str, Any],
        how: Mapping[str, Any],
    ) -> int:
        return _train(recipe, [data, *more], TrainOptions(**inputs), RunOptions(**how), given)

    return signature(
        train,
        summary=_HELP,
        given=(f"Options of {name}", chosen.options),
        inputs=("Input and output", TrainOptions),
        how=("Arithmetic", RunOptions),
    )


def _train(
    recipe: str,
    data: list[str],
    inputs: TrainOptions,
    how: RunOptions,
    given: Mapping[str, Any],
) -> int:
    from segmint.recipes.run import RUN, train, training_files

    out = Path(inputs.out)
    if out.is_file():
        raise UsageError(f"--out {out} is a file: name a folder")
    if (out / RUN).exists() and not inputs.overwrite:
        raise UsageError(f"{out} holds a finished run: pass --overwrite or another --out")
    recipes.load(recipe).options.from_mapping(given)
    use_threads(how.threads)
    paths = training_files(data, recursive=inputs.recursive)
    images, failures = _readable(paths, inputs)

    def report(step: int, objective: float) -> None:
        if not inputs.quiet:
            console.say(f"step {step}: objective {objective:.4f}")

    try:
        run = train(
            recipe,
            images,
            out=out,
            seed=how.seed,
            device=how.device,
            precision=how.precision,
            report=report,
            **given,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"stopped: nothing was written to {out}; run the same command again to learn anew"
        ) from None
    for failure in failures:
        console.complain(failure)
    console.result(
        f"learned {counted(run.record['components'], 'component')} from "
        f"{counted(len(images), 'image')} in {run.record['seconds']:.1f} s: run in {out}"
    )
    return 1 if failures else 0


def _readable(paths: list[Path], inputs: TrainOptions) -> tuple[list[Image], list[str]]:
    """The images that can be read, and why the others cannot."""
    from segmint.images import check_finite, read_image

    images, failures = [], []
    for path in paths:
        try:
            image = read_image(path, pages=inputs.pages, max_pixels=inputs.max_pixels)
            check_finite(image, image.region, advice="clean them")
        except SegmintError as error:
            failures.append(str(error))
        else:
            images.append(image)
    if not images:
        others = f" ({counted(len(failures) - 1, 'other file')} failed too)"
        raise InputError(failures[0] + (others if len(failures) > 1 else ""))
    return images, failures
