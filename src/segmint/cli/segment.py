"""``segmint segment``: segment images without labels."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.cli.inputs import InputOptions, PlaceOptions, RunOptions, SceneOptions, missing
from segmint.cli.parameters import signature
from segmint.devices import use_threads
from segmint.errors import UsageError
from segmint.methods import DEFAULT_METHOD, methods
from segmint.methods.method import Method
from segmint.options import option

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.methods.segmentation import Segmentation


@dataclass(frozen=True, kw_only=True)
class SegmentOptions(PlaceOptions):
    """What to segment by."""

    method: str = option(DEFAULT_METHOD, choices=tuple(methods))
    """How to segment; 'segmint segment --method NAME --help' shows the options of each."""
    preset: str | None = option(None)
    """Published defaults of the method: kim2020, seed004 (clustering), schwab2024 (mixtures)."""
    scribbles: str | None = option(None)
    """PNG of ids where something is known, or a folder of such files named like the images."""
    unlabelled: int = option(255)
    """Value of scribble pixels where nothing is known."""
    show: bool = option(False)
    """Show the segmentation as it evolves, in a window where there is a display."""
    frames: bool = option(False)
    """Write the segmentation as it evolves to progress.gif."""
    save_model: str | None = option(None, aliases=("model_path",))
    """File for the learned network (clustering, deepg, deepsvg; one image)."""
    skip_report: bool = option(False)
    """Leave out the report.html of several images."""
    batch_size: int | None = option(None, low=1)
    """Accepted for old scripts; one image is one batch. See 'segmint train clustering'."""


_HELP = """Segment images without labels, or from a few scribbles.

IMAGE is a file, a folder or a pattern. Each image gets a folder of its own with labels.png, an
overlay.png to look at, components.csv and result.json; several get a report.html that shows all.

Examples: 'segmint segment photo.jpg', 'segmint segment scans/ --out labels --components 5',
'segmint segment photo.jpg --method clustering --preset kim2020 --frames'.

Args:
    images: files, folders or patterns like 'scans/*.png'.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command, with the options of the method that the arguments name."""
    name = _method_in(arguments)
    method: Method = methods.load(name)

    def segment(
        *images: str,
        chosen: Mapping[str, Any],
        inputs: Mapping[str, Any],
        scenes: Mapping[str, Any],
        how: Mapping[str, Any],
        given: Mapping[str, Any],
    ) -> int:
        return _segment(
            images,
            SegmentOptions(**chosen),
            InputOptions(**inputs),
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
        scenes=("Large images", SceneOptions),
        how=("Arithmetic", RunOptions),
    )


def _segment(
    images: Sequence[str],
    options: SegmentOptions,
    inputs: InputOptions,
    scenes: SceneOptions,
    how: RunOptions,
    given: Mapping[str, Any],
    arguments: Sequence[str],
) -> int:
    from segmint.cli.scenes import ScenesByWindow
    from segmint.cli.work import collect, run_over_images
    from segmint.inference.memory_limit import MemoryLimit
    from segmint.methods.segment import fit_scene

    method: Method = methods.load(options.method)
    resolved = method.resolve(options.preset, given)
    paths = collect(images, inputs, options.channels)
    _check(options, inputs, 1 if options.channels else len(paths))
    use_threads(how.threads)

    limit = MemoryLimit.of(scenes.max_memory)

    def work(image: Image) -> tuple[Segmentation, Mapping[str, bytes]]:
        return _segment_image(image, options, how, given)

    described = {**resolved.resolved(), "preset": options.preset, **_guides(options)}
    signature: dict[str, Any] = {
        "method": options.method,
        "seed": how.seed,
        "options": described,
    }

    def fit(scene: Scene, region: Scene | None) -> SceneOutcome:
        return fit_scene(
            scene,
            options.method,
            preset=options.preset,
            region=region,
            seed=how.seed,
            device=how.device,
            precision=how.precision,
            limit=limit,
            save_model=options.save_model,
            **given,
        )

    by_window = ScenesByWindow(
        fit=fit,
        bytes_a_pixel=_bytes_a_pixel,
        scenes=scenes,
        inputs=inputs,
        limit=limit,
        method=options.method,
        options=described,
        seed=how.seed,
        region=options.region,
        identity={"precision": how.precision, "device": how.device},
        refused={
            "--show": options.show,
            "--frames": options.frames,
        },
    )

    def write_page(folder: Path, failures: Sequence[str], untried: int) -> Path | None:
        from segmint.reports.segment_page import Asked, write_segment_page

        asked = Asked(
            words=("segment", *arguments), **signature, failures=failures, untried=untried
        )
        return write_segment_page(folder, asked)

    return run_over_images(
        paths,
        work,
        inputs,
        signature,
        as_channels=bool(options.channels),
        by_window=by_window if _can_stream(options, method, scenes) else None,
        write_page=None if options.skip_report else write_page,
    )


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


def _segment_image(
    image: Image, options: SegmentOptions, how: RunOptions, given: Mapping[str, Any]
) -> tuple[Segmentation, Mapping[str, bytes]]:
    from segmint.cli.watching import Watch
    from segmint.cli.work import panel_files, read_mask, read_region
    from segmint.methods.segment import segment

    assert image.source is not None
    scribbles = read_mask(options.scribbles, image.source, "scribble")
    watch = Watch(image, show=options.show, frames=options.frames)
    segmentation = segment(
        image,
        options.method,
        preset=options.preset,
        scribbles=scribbles,
        unlabelled=options.unlabelled,
        region=read_region(options.region, image),
        seed=how.seed,
        device=how.device,
        precision=how.precision,
        observe=watch.observer,
        save_model=options.save_model,
        **given,
    )
    described = {**segmentation.options, **_guides(options)}
    found = replace(segmentation, options=described)
    return found, {**watch.files(), **panel_files(image, found)}


def _can_stream(options: SegmentOptions, method: Method, scenes: SceneOptions) -> bool:
    """Whether images may be answered window by window.

    Raises:
        UsageError: when that was asked for and cannot be.
    """
    from segmint.methods.segment import check_scene_abilities

    has_scribbles = options.scribbles is not None
    if scenes.stream != "auto" or scenes.skip_bad:
        check_scene_abilities(options.method, scribbles=has_scribbles)
    return method.fit_scene is not None and not has_scribbles


def _bytes_a_pixel(scene: Scene) -> float:
    """What an image, its float32 copies, its labels and its overlay take while in memory."""
    return scene.channels * (scene.dtype.itemsize + 16) + 64


def _guides(options: SegmentOptions) -> dict[str, Any]:
    """What beside the image decides the labels."""
    guides = {name: getattr(options, name) for name in ("scribbles", "unlabelled", "region")}
    return {**guides, "channels": list(options.channels)} if options.channels else guides


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
