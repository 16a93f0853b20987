"""One call to segment a file of any size without labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.methods import DEFAULT_METHOD, methods
from segmint.methods.method import Method
from segmint.methods.segment import fit_scene

if TYPE_CHECKING:
    from segmint.images.scene import Scene
    from segmint.inference.answer_file import Form, Progress
    from segmint.inference.scene_answer import SceneOutcome


def segment_file(
    image: str | Path,
    out: str | Path,
    method: str = DEFAULT_METHOD,
    *,
    preset: str | None = None,
    region: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    max_memory: str | None = None,
    form: Form = "auto",
    pages: str = "auto",
    skip_bad: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Segment a file window by window, into a result folder; memory does not grow with it.

    A call that was stopped, also by kill -9, goes on where it was when it is made again.

    Args:
        image: TIFF, OME-TIFF, Zarr, OME-Zarr, ``.npy`` or NIfTI of any size; other kinds are
            decoded whole first.
        out: folder of the result; files of an earlier one are replaced.
        method: one that learns from a sample or in one pass, such as ``hybrid``, ``em-gmm`` or
            ``clustering``.
        preset: a named set of options of the method.
        region: file of a mask of the same size, nonzero where to look.
        seed: of everything random.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``auto``, ``float32`` or ``bfloat16``, of networks.
        max_memory: what the process may hold, such as ``2GiB``; None is half of what is free.
        form: ``tiff`` (tiled BigTIFF), ``zarr`` (OME-Zarr); ``auto`` is Zarr for Zarr, else TIFF.
        pages: what the pages of a file are, as for :func:`segmint.read_image`.
        skip_bad: leave pixels of damaged tiles out, as if outside the region.
        progress: called with the number of blocks that are done, and of all.
        options: of the method, for example ``components=5``.

    Returns:
        What ``result.json`` in the folder says.

    Raises:
        InputError: when a file cannot be read.
        OutputError: when there is no room on the disk, or a file cannot be written.
        UsageError: for an unknown method, preset or option, or a method that needs whole images.
    """
    from segmint.inference.answer_file import answer_file
    from segmint.inference.memory_limit import MemoryLimit

    chosen: Method = methods.load(method)
    resolved = chosen.resolve(preset, options)
    limit = MemoryLimit.of(max_memory)

    def fit(scene: Scene, where: Scene | None) -> SceneOutcome:
        return fit_scene(
            scene,
            method,
            preset=preset,
            region=where,
            seed=seed,
            device=device,
            precision=precision,
            limit=limit,
            **options,
        )

    return answer_file(
        image,
        out,
        fit,
        method=method,
        options={**resolved.resolved(), "preset": preset},
        seed=seed,
        region=region,
        form=form,
        pages=pages,
        skip_bad=skip_bad,
        identity={"precision": precision, "device": device},
        progress=progress,
    )
