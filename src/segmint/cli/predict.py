"""``segmint predict``: apply a run, or a file that one was exported to, to images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from segmint.cli.inputs import EngineOptions, InputOptions
from segmint.cli.parameters import signature
from segmint.cli.predict_options import PredictOptions, PredictRunOptions, TileOptions
from segmint.devices import use_threads

_HELP = """Apply a run to images.

Each image gets a folder of its own, as by 'segmint segment'. A component has the same id and the
same color in every image. Images of any size: what does not fit into the memory is cut into tiles,
whose answers are those of the whole image, and a prediction that was stopped goes on where it was.

Examples: 'segmint predict run photos/ --out labels', 'segmint predict run photos/ --peer ensemble',
'segmint predict run slide.tif --max-memory 2GiB', 'segmint predict model.onnx photos/'.

Args:
    run: folder that 'segmint train' wrote, or file that 'segmint export' wrote.
    images: files, folders or patterns like 'scans/*.png'; lists of files (.txt), tables with a
        column 'image' (.csv, .parquet), and Zarr folders of several images.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def predict(
        run: str,
        /,
        *images: str,
        where: Mapping[str, Any],
        inputs: Mapping[str, Any],
        engine: Mapping[str, Any],
        tiles: Mapping[str, Any],
        how: Mapping[str, Any],
    ) -> int:
        options = PredictOptions(**where)
        return _predict(
            (run, *options.also),
            images,
            options,
            InputOptions(**inputs),
            EngineOptions(**engine),
            TileOptions(**tiles),
            PredictRunOptions(**how),
        )

    return signature(
        predict,
        summary=_HELP,
        where=("Prediction", PredictOptions),
        inputs=("Input and output", InputOptions),
        engine=("Many images", EngineOptions),
        tiles=("Large images", TileOptions),
        how=("Arithmetic", PredictRunOptions),
    )


def _predict(
    runs: tuple[str, ...],
    images: tuple[str, ...],
    options: PredictOptions,
    inputs: InputOptions,
    engine: EngineOptions,
    tiles: TileOptions,
    how: PredictRunOptions,
) -> int:
    from segmint.cli.collecting import collect
    from segmint.cli.engine import run_job
    from segmint.cli.predict_job import PredictJob

    use_threads(how.threads)
    by_ones = engine.images_per_batch == 1
    job = PredictJob(
        inputs=inputs, how=how, runs=runs, options=options, tiles=tiles, by_ones=by_ones
    )
    job.check()
    items = collect(images, inputs, options.channels, part=engine.part)
    return run_job(job, items, engine, command="predict")
