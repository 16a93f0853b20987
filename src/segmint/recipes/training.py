"""Learn by a recipe, and keep what was learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from segmint.devices import check_arithmetic, memory_errors
from segmint.errors import UsageError, shortened
from segmint.images import Image
from segmint.recipes import recipes
from segmint.recipes.recipe import Plan, Recipe
from segmint.recipes.run import Run
from segmint.recipes.run_folder import (
    CONFIG,
    RUN,
    Config,
    check_free,
    check_resumable,
    earlier_run_kept,
    is_finished,
    read_config,
    settle,
    write_config,
)
from segmint.recipes.settings import Settings, plain, resolve
from segmint.recipes.training_images import readable_images, training_images
from segmint.runs import versions, write_json
from segmint.solvers.agreement import agree, first_does, wait_for_all
from segmint.solvers.launched import (
    check_shape,
    check_world,
    launched,
    refuse_one_process_recipe,
)
from segmint.solvers.meeting import TookPartError, taking_part
from segmint.solvers.place import Place
from segmint.solvers.training_options import TrainingOptions

if TYPE_CHECKING:
    from segmint.solvers.watcher import Watcher

Data = str | Path | Sequence[str | Path | Image]


def train(
    recipe: str,
    data: Data,
    *,
    out: str | Path,
    overwrite: bool = False,
    preset: str | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    watch: Watcher | None = None,
    say: Callable[[str], None] | None = None,
    **options: Any,
) -> Run:
    """Learn by a recipe and write a run.

    Args:
        recipe: a name that ``segmint list`` shows under recipes.
        data: for recipes that learn from masks, the root of a data set; for the others a folder, a
            file, a pattern, a list or a table, or several of them or of images; of a prepared data
            set the training split is taken.
        out: folder of the run.
        overwrite: replace a run that is there.
        preset: a named set of options of the recipe, for example ``study``.
        seed: of everything random.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``auto``, ``float32`` or ``bfloat16``.
        watch: told of each step and epoch.
        say: told what was recognized in the data, before learning begins.
        options: of the recipe: ``epochs=10``, or by section, ``optimizer={"lr": 1e-3}``.

    Where a launcher, torchrun or SLURM's srun, has started this process as one of several, all call
    this function alike. The first one alone writes, and the others return when it has written.

    Raises:
        InputError: for data that cannot be used, or when learning leads to no numbers. In a process
            of a launcher that does not see the folder: when the run is finished.
        UsageError: for an unknown recipe or option.
    """
    if not overwrite and is_finished(Path(out)):
        raise UsageError(f"{out} holds a finished run: pass overwrite=True or another out")
    given = _given(data)
    config = Config(
        recipe=recipe,
        data=tuple(str(item) for item in given if not isinstance(item, Image)),
        settings={},
        preset=preset,
        seed=seed,
        device=device,
        precision=precision,
    )
    return learn(config, given, out=out, values=options, watch=watch, say=say)


def learn(
    config: Config,
    data: Sequence[str | Path | Image],
    *,
    out: str | Path,
    values: Mapping[str, Any] | None = None,
    watch: Watcher | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Learn as a configuration says.

    Args:
        config: of a run, or of what is wished.
        data: what to learn from.
        out: folder of the run; a finished run there is replaced.
        values: options that change the configuration, as in :func:`resolve`.
        watch: told of each step and epoch.
        say: told what was recognized in the data, before learning begins.

    Raises:
        InputError: for data that cannot be used, or when learning leads to no numbers.
        UsageError: for an unknown recipe or option.
    """
    settings = configured(config, values)
    check_arithmetic(config.seed, config.device, config.precision)
    config = replace(config, settings=plain(settings))
    folder = Path(out)
    with taking_part() as place, memory_errors(), ExitStack() as stack:
        agree(place, _asked(config))
        first_does(place, lambda: _check_launch(config.recipe, settings))
        first_does(place, lambda: check_free(folder))

        def begin() -> None:
            if place.is_first:
                stack.enter_context(earlier_run_kept(folder))
                write_config(folder, config)

        with _with_others(place):
            _learn(config, settings, data, folder, begin=begin, watch=watch, say=say)
    return _run(place, folder, config)


def resume(
    run: str | Path,
    *,
    watch: Watcher | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Go on with a training that was cut off, from its last checkpoint.

    On a CPU the result is bit for bit that of a training without interruption. Only ``max_time``
    looks at the clock; it counts the seconds of all sittings together.

    Args:
        run: folder that :func:`train` was writing.
        watch: told of each step and epoch.
        say: told what was recognized in the data, before learning goes on.

    Raises:
        UsageError: when the folder holds no run, or a finished one, or its configuration asks for
            what this machine cannot do.
        InputError: when its data or checkpoint cannot be read.
    """
    folder = Path(run)
    with taking_part() as place, memory_errors():
        config = first_does(place, lambda: _resumable(folder))
        settings = _as_launched(config.recipe, configured(config))
        check_arithmetic(config.seed, config.device, config.precision)
        with _with_others(place):
            _learn(config, settings, list(config.data), folder, watch=watch, say=say, resume=True)
            if place.is_first:
                settle(folder)
    return _run(place, folder, config)


def _resumable(folder: Path) -> Config:
    check_resumable(folder)
    return read_config(folder / CONFIG)


def _asked(config: Config) -> dict[str, Any]:
    """What all processes of a launcher must have been asked for; data may lie elsewhere."""
    told = {"recipe": config.recipe, "preset": config.preset, "seed": config.seed}
    for section, options in config.settings.items():
        told |= {f"{section}.{name}": value for name, value in options.items()}
    return told


def _check_launch(recipe: str, settings: Settings) -> None:
    """Refuse options that do not say what a launcher has started."""
    launch, training = launched(), _loop(settings)
    if training is None:
        refuse_one_process_recipe(recipe, launch)
    else:
        check_shape(training, launch)


def _as_launched(recipe: str, settings: Settings) -> Settings:
    """The settings of a run that goes on, with its processes where they are now.

    Its numbers depend on how many there are, and not on the machines that they are on.
    """
    launch, training = launched(), _loop(settings)
    if training is None:
        refuse_one_process_recipe(recipe, launch)
        return settings
    check_world(training, launch)
    nodes, devices = (1, training.world) if launch is None else (launch.nodes, launch.devices)
    spread = replace(training, nodes=nodes, devices=devices)
    return {name: spread if each is training else each for name, each in settings.items()}


def _loop(settings: Settings) -> TrainingOptions | None:
    """The options of processes, where a recipe has them."""
    found = (options for options in settings.values() if isinstance(options, TrainingOptions))
    return next(found, None)


@contextmanager
def _with_others(place: Place) -> Iterator[None]:
    """Within it a process learns with the others; after it the first one has written everything.

    Raises:
        InputError: when the first one is lost before that.
    """
    with suppress(TookPartError):
        yield
    try:
        wait_for_all(place)
    except RuntimeError:
        if not place.is_first:
            raise
        # Everything is written, so that one that is lost now is not needed any more.


def _run(place: Place, folder: Path, config: Config) -> Run:
    """The finished run, for those who see its folder."""
    if not place.is_first and not is_finished(folder):
        raise TookPartError(
            f"process {place.rank} took part in a training whose run the first process has "
            f"written into {folder}, which is not there on this machine: share the folder to read "
            "it here"
        )
    return Run(folder, device=config.device, precision=config.precision)


def configured(config: Config, values: Mapping[str, Any] | None = None) -> Settings:
    """The options of a configuration, overridden by further values.

    Raises:
        UsageError: for an unknown recipe or option.
    """
    recipe: Recipe = recipes.load(config.recipe)
    return resolve(recipe, values or {}, preset=config.preset, base=config.settings)


def _learn(
    config: Config,
    settings: Settings,
    data: Sequence[str | Path | Image],
    folder: Path,
    *,
    watch: Watcher | None,
    say: Callable[[str], None] | None,
    begin: Callable[[], None] = lambda: None,
    resume: bool = False,
) -> None:
    recipe: Recipe = recipes.load(config.recipe)
    say = say or (lambda line: None)
    source = _roots(data) if recipe.takes_dataset else _images(data, config, say, resume=resume)
    plan = Plan(
        settings=settings,
        folder=folder,
        **source,
        seed=config.seed,
        device=config.device,
        precision=config.precision,
        resume=resume,
        watch=watch,
        begin=begin,
        say=say,
    )
    found = recipe.train(plan)
    record = {
        "recipe": config.recipe,
        "preset": config.preset,
        "options": config.settings,
        "seed": config.seed,
        "images": [str(image.source) for image in plan.images if image.source],
        "versions": versions(),
        **found,
    }
    write_json(folder / RUN, record)


def _images(
    data: Sequence[str | Path | Image],
    config: Config,
    say: Callable[[str], None],
    *,
    resume: bool,
) -> dict[str, Any]:
    """What a training without masks learns from."""
    if not resume:
        return {"images": training_images(data, config.files, say=say)}
    # The command that began it may have left unreadable files out, so they are left out again.
    images, failures = readable_images(config.data, config.files, say=say)
    for failure in failures:
        say(f"note: left out, as before: {failure}")
    return {"images": training_images(images, config.files, say=say)}


def _given(data: object) -> list[str | Path | Image]:
    """The places or images to learn from, one by one."""
    several = isinstance(data, Iterable) and not isinstance(data, str | Path)
    items = [*cast("Iterable[object]", data)] if several else [data]
    found = [item for item in items if isinstance(item, str | Path | Image)]
    if len(found) < len(items):
        raise UsageError(
            f"data is {shortened(' '.join(repr(data).split()))}, accepted is a folder, or for "
            "recipes that learn without masks files and images, too: give one"
        )
    return found


def _roots(data: Sequence[str | Path | Image]) -> dict[str, Any]:
    paths = [Path(item) for item in data if not isinstance(item, Image)]
    if len(paths) != 1 or len(data) != 1:
        raise UsageError(
            f"{len(data)} places are given, but this recipe learns from one data set: "
            "give the folder of the data set"
        )
    return {"paths": paths}
