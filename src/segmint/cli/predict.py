"""``segmint predict``: apply a run to images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from segmint.cli.inputs import InputOptions, RunOptions
from segmint.cli.parameters import signature
from segmint.devices import use_threads

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.methods.segmentation import Segmentation

_HELP = """Apply a run to images.

Each image gets a folder of its own, as by 'segmint segment'. A component has the same id and the
same color in every image.

Example: 'segmint predict run photos/ --out labels'.

Args:
    run: folder that 'segmint train' wrote.
    images: files, folders or patterns like 'scans/*.png'.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def predict(
        run: str, /, *images: str, inputs: Mapping[str, Any], how: Mapping[str, Any]
    ) -> int:
        return _predict(run, images, InputOptions(**inputs), RunOptions(**how))

    return signature(
        predict,
        summary=_HELP,
        inputs=("Input and output", InputOptions),
        how=("Arithmetic", RunOptions),
    )


def _predict(run: str, images: tuple[str, ...], inputs: InputOptions, how: RunOptions) -> int:
    from segmint.cli.work import collect, run_over_images
    from segmint.recipes.run import Run

    use_threads(how.threads)
    opened = Run(run, device=how.device, precision=how.precision)
    paths = collect(images, inputs)

    def work(image: Image) -> tuple[Segmentation, Mapping[str, bytes]]:
        return opened.segment(image), {}

    options = {"run": str(opened.folder), **opened.record["options"]}
    signature = {
        "method": f"run of {opened.record['recipe']}",
        "seed": opened.record["seed"],
        "options": options,
    }
    return run_over_images(paths, work, inputs, signature)
