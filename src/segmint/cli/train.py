"""``segmint train``: learn from a data set, or from a folder of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.inputs import RunOptions
from segmint.cli.parameters import signature
from segmint.devices import use_threads
from segmint.errors import SegmintError, UsageError
from segmint.options import Options, option
from segmint.recipes import recipes
from segmint.recipes.file_options import FileOptions
from segmint.recipes.recipe import Recipe
from segmint.recipes.restarting import FINISHED, GOES_ON, Wish, standing_of
from segmint.recipes.run_folder import (
    CONFIG,
    LAST,
    Config,
    check_resumable,
    is_unfinished,
    read_config,
)
from segmint.recipes.settings import assignments
from segmint.solvers.agreement import ToldError, first_does, highest
from segmint.solvers.launched import launched, refuse_one_process_recipe, restarts
from segmint.solvers.meeting import TookPartError, taking_part

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.recipes.run import Run
    from segmint.reports.data_survey import Survey
    from segmint.solvers.place import Place
    from segmint.solvers.watcher import Watcher

DEFAULT_OUT = "segmint-run"


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Options):
    """Where the run goes, and what it repeats or goes on with."""

    out: str = option(DEFAULT_OUT, aliases=("output",))
    """Folder for the run."""
    overwrite: bool = option(False)
    """Learn again where a run is."""
    preset: str | None = option(None)
    """Named set of options of the recipe."""
    set: tuple[str, ...] = option(())
    """Options by section, like optimizer.lr=1e-3; 'segmint train RECIPE --help' names both."""
    config: str | None = option(None)
    """The config.yaml of a run, to learn once more like it; further options change that."""
    resume: str | None = option(None)
    """Folder of a run that was cut off, to go on from its last checkpoint."""
    quiet: bool = option(False)
    """Print no progress."""


_HELP = """Learn from a data set, or from a folder of images.

unet, unet-rmi, isbi-unet and mutual learn from images with masks: DATA is the root of a data set in
one of the layouts that 'segmint data list' shows, and 'segmint data check DATA' looks for its
faults. clustering, deepg and deepsvg learn from images alone: DATA is a folder, a file, a pattern,
a list (.txt), a table (.csv, .parquet) or a Zarr folder; --sample takes some of many images.

The run folder keeps the network, 'segmint predict RUN IMAGE...' applies it, and 'segmint report
RUN' shows how well it does. A training that was cut off goes on with --resume RUN.

Examples: 'segmint train unet CamVid --out run --max-time 15m', 'segmint train unet-rmi VOCdevkit
--dataset voc2012 --epochs 50', 'segmint train mutual CamVid --peers unet smp:deeplabv3/resnet50
--solo', 'segmint train clustering photos/ --out run --components 6 --sample 200'.

Args:
    recipe: what to learn by; 'segmint list' shows the recipes.
    data: a data set, or a folder of images, a file, a pattern, a list or a table.
    more: further ones of these, apart from data sets.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command, with the options of the recipe that the arguments name."""
    name, known = _recipe_name(arguments)
    chosen: Recipe = recipes.load(name)
    sections = {
        section: (
            section.capitalize() + ("" if section == name else f" of {name}"),
            options,
            chosen.defaults.get(section, {}),
        )
        for section, options in chosen.sections.items()
    }

    def train(
        recipe: str | None = None,
        data: str | None = None,
        /,
        *more: str,
        running: Mapping[str, Any],
        how: Mapping[str, Any],
        files: Mapping[str, Any] = MappingProxyType({}),
        **given: Mapping[str, Any],
    ) -> int:
        values = {
            f"{section}.{option}": value
            for section, options in given.items()
            for option, value in options.items()
        }
        places = [place for place in (data, *more) if place is not None]
        return _train(recipe, places, TrainOptions(**running), files, how, values)

    return signature(
        train,
        summary=_help(name, chosen) if known else _HELP,
        running=("Run", TrainOptions),
        **sections,
        **({} if chosen.takes_dataset else {"files": ("Input", FileOptions)}),
        how=("Arithmetic", RunOptions),
    )


def _help(name: str, recipe: Recipe) -> str:
    """The general help, with what is particular to a recipe."""
    presets = f"Presets of {name}: {', '.join(recipe.presets)}." if recipe.presets else ""
    own = "\n\n".join(text for text in (recipe.note, presets) if text)
    head, _, tail = _HELP.partition("\n\nArgs:")
    return f"{head}\n\n{own}\n\nArgs:{tail}" if own else _HELP


def _recipe_name(arguments: Sequence[str]) -> tuple[str, bool]:
    """Which recipe the arguments speak of, and whether they do at all."""
    if arguments and not arguments[0].startswith("-"):
        return recipes.entry(arguments[0]).name, True
    words = [part for word in arguments for part in word.split("=", 1)]
    for flag, file in (("--config", ""), ("--resume", CONFIG)):
        if flag in words[:-1]:
            path = Path(words[words.index(flag) + 1]) / file
            if path.is_file():
                return recipes.entry(read_config(path).recipe).name, True
    named = next((word for word in arguments if word in recipes), None)
    return named or next(iter(recipes)), named is not None


def _train(
    recipe: str | None,
    data: list[str],
    running: TrainOptions,
    files: Mapping[str, Any],
    how: Mapping[str, Any],
    values: dict[str, Any],
) -> int:
    """Learn, also as one of the processes of a launcher, of which the first one alone speaks."""
    use_threads(RunOptions(**how).threads)
    with taking_part() as place:
        try:
            return _take_part(place, recipe, data, running, files, how, values)
        except TookPartError:
            return 0
        except ToldError as told:
            return told.exit_code
        except KeyboardInterrupt:
            if place.is_first:
                raise
            return 1


def _take_part(
    place: Place,
    recipe: str | None,
    data: list[str],
    running: TrainOptions,
    files: Mapping[str, Any],
    how: Mapping[str, Any],
    values: dict[str, Any],
) -> int:
    if running.resume is not None:
        others = [*values, *files, *_given(how)]
        return _resume(place, Path(running.resume), recipe, others, running)
    for name, value in assignments(running.set).items():
        if name in values:
            raise UsageError(f"--set gives {name}, which an option of its own gives, too: give one")
        values[name] = value
    base = _base(recipe, data, running, how)
    base = replace(base, files=replace(base.files, **files))
    chosen: Recipe = recipes.load(base.recipe)
    wish = Wish(
        config=base,
        values=values,
        out=Path(running.out),
        overwrite=running.overwrite,
        again=highest(place, restarts()) > 0,  # torchrun tells it to one machine and not the other
    )
    standing = first_does(place, lambda: standing_of(wish))
    if standing == GOES_ON:
        return _go_on(place, wish.out, running)
    if standing == FINISHED:
        if place.is_first:
            console.result(f"the run in {wish.out} is finished")
        return 0
    images: Sequence[str | Image] = base.data
    failures: list[str] = []
    if not chosen.takes_dataset:
        first_does(place, lambda: refuse_one_process_recipe(base.recipe, launched()))
        from segmint.recipes.training_images import readable_images

        say = (lambda line: None) if running.quiet else console.say
        images, failures = readable_images(base.data, base.files, say=say)
    return _learn(place, base, images, values, running, failures)


def _base(
    recipe: str | None, data: list[str], running: TrainOptions, how: Mapping[str, Any]
) -> Config:
    """What is asked for, before single options change it."""
    if running.config is None:
        if recipe is None or not data:
            what = (
                "a recipe and its data" if recipe is None else "data to learn from before options"
            )
            raise UsageError(
                f"train needs {what}, like 'segmint train unet CamVid', or --config or --resume; "
                "'segmint train --help' shows all options"
            )
        return Config(
            recipe=recipe, data=tuple(data), settings={}, preset=running.preset, **_given(how)
        )
    if running.preset is not None:
        raise UsageError("--preset and --config both give options: give one of them")
    config = read_config(Path(running.config))
    if recipe is not None and recipe != config.recipe:
        raise UsageError(
            f"{running.config} is of the recipe {config.recipe!r}, not {recipe!r}: leave the "
            "recipe out"
        )
    return replace(config, **_given(how), data=tuple(data) or config.data)


def _given(how: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in how.items() if name in ("seed", "device", "precision")}


def _learn(
    place: Place,
    config: Config,
    data: Sequence[str | Image],
    values: Mapping[str, Any],
    running: TrainOptions,
    failures: Sequence[str],
) -> int:
    from segmint.recipes.training import learn

    out = Path(running.out)
    quiet = running.quiet or not place.is_first
    say = None if quiet else console.say

    def work(watch: Watcher | None) -> Run:
        return learn(config, data, out=out, values=values, watch=watch, say=say)

    if not place.is_first:
        work(None)
        return 0
    run = _watched(work, out, recipes.load(config.recipe), quiet=quiet)
    return _finish(run, out, failures)


def _resume(
    place: Place, out: Path, recipe: str | None, given: Sequence[str], running: TrainOptions
) -> int:
    """Go on with a run; ``given`` are the names of options that would change it."""
    others = [
        *([recipe] if recipe is not None else []),
        *(f"--{name.rpartition('.')[2].replace('_', '-')}" for name in given),
        *(
            f"--{name}"
            for name in ("set", "config", "preset", "overwrite")
            if getattr(running, name)
        ),
    ]
    if others or running.out not in (DEFAULT_OUT, str(out)):
        what = others[0] if others else f"--out {running.out}"
        raise UsageError(
            f"--resume goes on with the options of the run, so {what} is one too many: leave it out"
        )
    first_does(place, lambda: check_resumable(out))
    return _go_on(place, out, running)


def _go_on(place: Place, out: Path, running: TrainOptions) -> int:
    from segmint.recipes.training import resume

    say = None if running.quiet else console.say

    def work(watch: Watcher | None) -> Run:
        return resume(out, watch=watch, say=say)

    if not place.is_first:
        resume(out)
        return 0
    learned = recipes.load(read_config(out / CONFIG).recipe)
    return _finish(_watched(work, out, learned, quiet=running.quiet), out, [])


def _watched(
    work: Callable[[Watcher | None], Run], out: Path, recipe: Recipe, *, quiet: bool
) -> Run:
    """Learn, with progress on the screen and, where there is a data set, a report in the folder."""
    from segmint.cli.training_progress import training_progress

    try:
        with training_progress(quiet=quiet) as watch:
            if not recipe.takes_dataset:
                return work(watch)
            from segmint.reports.live_report import live_report

            with live_report(out, watch, say=None if quiet else console.say) as live:
                run = work(live)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_to_go_on(out)) from None
    _report(run, live.looked)
    return run


def _finish(run: Run, out: Path, failures: Sequence[str]) -> int:
    for failure in failures:
        console.complain(failure)
    console.result(f"{run.record['summary']} in {run.record['seconds']:.1f} s: run in {out}")
    return 1 if failures else 0


def _report(run: Run, looked: Survey | None) -> None:
    """Write the report; the run stands also where that fails."""
    from segmint.reports.run_report import write_training_report

    try:
        write_training_report(run, looked=looked)
    except SegmintError as error:
        console.say(f"note: there is no report ({error})")


def _how_to_go_on(out: Path) -> str:
    if is_unfinished(out) and (out / LAST).is_file():
        return (
            f"stopped: the last checkpoint is kept; 'segmint train --resume {out}' goes on from it"
        )
    return "stopped: there is no checkpoint yet; run the same command again to learn anew"
