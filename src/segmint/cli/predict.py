"""``segmint predict``: apply a run, or a file that one was exported to, to images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segmint.cli.inputs import InputOptions, PlaceOptions, RunOptions, SceneOptions
from segmint.cli.parameters import signature
from segmint.devices import PRECISIONS, use_threads
from segmint.errors import UsageError
from segmint.options import option

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.tiling import Tiling
    from segmint.methods.segmentation import Segmentation
    from segmint.recipes.answering import Answering

AUGMENTATIONS: tuple[str, ...] = ("flips", "rotations", "scales")
"""From how many sides an image can be looked at."""


@dataclass(frozen=True, kw_only=True)
class PredictOptions(PlaceOptions):
    """What belongs to one image, where in it to look, and what is written."""

    probabilities: bool = option(False)
    """Write the probability of each class and their entropy, too, as float32 TIFF or NIfTI."""
    peer: str | None = option(None)
    """Of a run with several networks the one that answers, or ensemble, the mean of all; if not
    given the one that was best in training."""
    also: tuple[str, ...] = option(())
    """Further runs of the same classes that answer together with the first, by the mean of the
    probabilities of all networks; place it after the images."""
    tta: tuple[str, ...] = option((), choices=AUGMENTATIONS)
    """Test-time augmentation: the mean over mirrored, turned (by 90 degrees) and resized images."""
    tta_scales: tuple[float, ...] = option((0.75, 1.25), low=0.1, high=4)
    """Sizes of --tta scales, beside the image's own."""
    uncertainty: bool = option(False)
    """Write where the networks that answer together disagree, in bits, too, as float32 TIFF or
    NIfTI and as a picture."""


@dataclass(frozen=True, kw_only=True)
class TileOptions(SceneOptions):
    """How images are cut and written that do not fit into memory."""

    tile: int | None = option(None, low=64, high=65536)
    """Side in pixels of the tiles that go through a network; if not given what fits the memory."""


@dataclass(frozen=True, kw_only=True)
class PredictRunOptions(RunOptions):
    """How the arithmetic of a prediction is done."""

    precision: str = option("auto", choices=(*PRECISIONS, "int8"))
    """Of networks; auto takes bfloat16 where the hardware computes in it, int8 needs the extra
    'onnx'. What others than float32 change is printed once."""


_HELP = """Apply a run to images.

Each image gets a folder of its own, as by 'segmint segment'. A component has the same id and the
same color in every image. Images of any size: what does not fit into the memory is cut into tiles,
whose answers are those of the whole image, and a prediction that was stopped goes on where it was.

Examples: 'segmint predict run photos/ --out labels', 'segmint predict run photos/ --peer ensemble',
'segmint predict run slide.tif --max-memory 2GiB', 'segmint predict model.onnx photos/'.

Args:
    run: folder that 'segmint train' wrote, or file that 'segmint export' wrote.
    images: files, folders or patterns like 'scans/*.png'.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def predict(
        run: str,
        /,
        *images: str,
        where: Mapping[str, Any],
        inputs: Mapping[str, Any],
        tiles: Mapping[str, Any],
        how: Mapping[str, Any],
    ) -> int:
        options = PredictOptions(**where)
        return _predict(
            run,
            images,
            options,
            InputOptions(**inputs),
            TileOptions(**tiles),
            PredictRunOptions(**how),
        )

    return signature(
        predict,
        summary=_HELP,
        where=("Prediction", PredictOptions),
        inputs=("Input and output", InputOptions),
        tiles=("Large images", TileOptions),
        how=("Arithmetic", PredictRunOptions),
    )


def _predict(
    run: str,
    images: tuple[str, ...],
    options: PredictOptions,
    inputs: InputOptions,
    tiles: TileOptions,
    how: PredictRunOptions,
) -> int:
    from segmint.cli.agreement import TellAgreement
    from segmint.cli.scenes import ScenesByWindow
    from segmint.cli.work import collect, panel_files, read_region, run_over_images
    from segmint.recipes.opening import open_answering

    use_threads(how.threads)
    tiling = _tiling(options, tiles)
    runs = (run, *options.also)

    def opened(precision: str) -> Answering:
        return open_answering(
            runs, device=how.device, precision=precision, peer=options.peer, tiling=tiling
        )

    answering = opened(how.precision)
    if options.uncertainty and not answering.are_several:
        raise UsageError(
            f"a {answering.method} has one network, which has none to disagree with: leave out "
            "--uncertainty, give a run of mutual, or further runs with --also"
        )
    paths = collect(images, inputs, options.channels)
    tell = TellAgreement(answering, lambda: opened("float32"), quiet=inputs.quiet)
    guides = _guides(options)
    described = {**answering.described, **guides}

    def work(image: Image) -> tuple[Segmentation, Mapping[str, bytes]]:
        tell.of_image(image)
        found = answering.segment(image, region=read_region(options.region, image))
        if options.probabilities and found.compute_probabilities is None:
            raise UsageError(f"{answering.method} has no probabilities: leave out --probabilities")
        if options.uncertainty and found.compute_uncertainty is None:
            raise UsageError(
                f"{found.options.get('peer')} learned alone and has no other twin to disagree "
                "with: leave out --uncertainty, or ask another --peer"
            )
        found = replace(
            found,
            maps=found.maps or options.probabilities,
            uncertainty_map=options.uncertainty,
            options={**found.options, **guides},
        )
        return found, panel_files(image, found)

    by_window = ScenesByWindow(
        fit=lambda scene, region: tell.of_scene(scene, answering.of_scene(scene)),
        bytes_a_pixel=lambda scene: _bytes_a_pixel(scene, answering.classes),
        scenes=tiles,
        inputs=inputs,
        limit=tiling.resolved_limit(),
        method=answering.method,
        options=described,
        seed=answering.seed,
        region=options.region,
        probabilities=options.probabilities,
        identity=answering.identity,
        refused={"--uncertainty": options.uncertainty},
    )
    signature = {"method": answering.method, "seed": answering.seed, "options": described}
    return run_over_images(
        paths, work, inputs, signature, as_channels=bool(options.channels), by_window=by_window
    )


def _tiling(options: PredictOptions, tiles: TileOptions) -> Tiling:
    from segmint.inference.memory_limit import MemoryLimit
    from segmint.inference.tiling import Tiling
    from segmint.inference.views import Views

    views = Views(
        flips="flips" in options.tta,
        rotations="rotations" in options.tta,
        scales=options.tta_scales if "scales" in options.tta else (),
    )
    limit = MemoryLimit.of(tiles.max_memory)
    return Tiling(limit=limit, tile=tiles.tile, views=views)


_SAID_ELSEWHERE = {"peer", "also", "tta", "tta_scales"}
"""Options of which the runs themselves tell."""


def _guides(options: PredictOptions) -> dict[str, Any]:
    """What beside the run and the image decides the result."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(options).items()
        if value and name not in _SAID_ELSEWHERE
    }


def _bytes_a_pixel(scene: Scene, classes: int) -> float:
    """What an image, its probabilities and its labels take while they are in memory."""
    return scene.channels * (scene.dtype.itemsize + 8) + 12 * classes + 16
