"""``segmint predict``: apply a run to images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segmint.cli.inputs import InputOptions, PlaceOptions, RunOptions
from segmint.cli.parameters import signature
from segmint.devices import use_threads
from segmint.errors import UsageError
from segmint.options import option

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.methods.segmentation import Segmentation


@dataclass(frozen=True, kw_only=True)
class PredictOptions(PlaceOptions):
    """What belongs to one image, where in it to look, and what is written."""

    probabilities: bool = option(False)
    """Write the probability of each class and their entropy, too, as float32 TIFF or NIfTI."""
    peer: str | None = option(None)
    """Of a run with several networks the one that answers, or ensemble, the mean of all; if not
    given the one that was best in training."""
    uncertainty: bool = option(False)
    """Write where the peers of a mutual run disagree, in bits, too, as float32 TIFF or NIfTI and
    as a picture."""


_HELP = """Apply a run to images.

Each image gets a folder of its own, as by 'segmint segment'. A component has the same id and the
same color in every image.

Examples: 'segmint predict run photos/ --out labels', 'segmint predict run photos/ --peer ensemble'.

Args:
    run: folder that 'segmint train' wrote.
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
        how: Mapping[str, Any],
    ) -> int:
        options = PredictOptions(**where)
        return _predict(run, images, options, InputOptions(**inputs), RunOptions(**how))

    return signature(
        predict,
        summary=_HELP,
        where=("Prediction", PredictOptions),
        inputs=("Input and output", InputOptions),
        how=("Arithmetic", RunOptions),
    )


def _predict(
    run: str,
    images: tuple[str, ...],
    options: PredictOptions,
    inputs: InputOptions,
    how: RunOptions,
) -> int:
    from segmint.cli.work import collect, panel_files, read_region, run_over_images
    from segmint.recipes.run import Run

    use_threads(how.threads)
    opened = Run(run, device=how.device, precision=how.precision, peer=options.peer)
    if options.uncertainty and not opened.peers:
        raise UsageError(
            f"a run of {opened.record['recipe']} has one network, which has none to disagree with: "
            "leave out --uncertainty, or give a run of mutual"
        )
    paths = collect(images, inputs, options.channels)
    guides = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(options).items()
        if value and name != "peer"  # the run itself says which one answers
    }

    def work(image: Image) -> tuple[Segmentation, Mapping[str, bytes]]:
        found = opened.segment(image, region=read_region(options.region, image))
        if options.probabilities and found.compute_probabilities is None:
            raise UsageError(
                f"a run of {opened.record['recipe']} has no probabilities: leave out "
                "--probabilities"
            )
        if options.uncertainty and found.compute_uncertainty is None:
            raise UsageError(
                f"{opened.peer} learned alone and has no other twin to disagree with: leave out "
                "--uncertainty, or ask another --peer"
            )
        maps = found.maps or options.probabilities
        described = replace(
            found,
            maps=maps,
            uncertainty_map=options.uncertainty,
            options={**found.options, **guides},
        )
        return described, panel_files(image, described)

    signature = {
        "method": f"run of {opened.record['recipe']}",
        "seed": opened.record["seed"],
        "options": {**opened.described, **guides},
    }
    return run_over_images(paths, work, inputs, signature, as_channels=bool(options.channels))
