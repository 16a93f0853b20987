"""A file of any size, opened, segmented window by window, and written into a result folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from segmint.errors import UsageError, nearest
from segmint.images.choices import MAX_PIXELS
from segmint.images.scene import Scene
from segmint.inference.elsewhere import Elsewhere
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.scene_source import SceneSource
from segmint.inference.streaming import segment_scene

Form: TypeAlias = Literal["auto", "tiff", "zarr"]
"""Of what is written; ``auto`` is Zarr for Zarr and else TIFF."""

FORMS: tuple[str, ...] = ("auto", "tiff", "zarr")

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of blocks that are done, and of all."""


def answer_file(
    image: str | Path,
    out: str | Path,
    fit: Callable[[Scene, Scene | None], SceneOutcome],
    *,
    method: str,
    options: Mapping[str, Any],
    seed: int,
    region: str | Path | None = None,
    probabilities: bool = False,
    form: Form = "auto",
    pages: str = "auto",
    skip_bad: bool = False,
    max_pixels: int = MAX_PIXELS,
    identity: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
    spread: Callable[[SceneSource], Elsewhere] | None = None,
) -> dict[str, Any]:
    """Segment a file window by window; memory does not grow with it.

    Args:
        image: TIFF, OME-TIFF, Zarr, OME-Zarr, ``.npy`` or NIfTI of any size; other kinds are
            decoded whole first.
        out: folder of the result; files of an earlier result are replaced, and what a stopped call
            of the same kind left is gone on with.
        fit: ``fit(scene, region)``, how windows are answered.
        method: who answers, for the record.
        options: all options with their values, for the record.
        seed: of everything random.
        region: file of a mask of the same size, nonzero where to look.
        probabilities: write them and their entropy, too.
        form: ``tiff`` (tiled BigTIFF), ``zarr`` (OME-Zarr) or ``auto``.
        pages: what the pages of a file are, as for :func:`segmint.read_image`.
        skip_bad: leave pixels of damaged tiles out, as if outside the region.
        max_pixels: of files that must be decoded whole.
        identity: what else decides the labels, for going on.
        progress: is told how many blocks are done.
        tell: is told in a sentence that work goes on or begins again.
        spread: who else answers the windows of such a file, see
            :func:`segmint.engines.scene_spreading.spread`; this process keeps what they send.

    Returns:
        What ``result.json`` says.

    Raises:
        InputError: when a file cannot be read.
        OutputError: when there is no room, or a file cannot be written.
    """
    path = Path(image)
    source = SceneSource(
        image=path,
        region=None if region is None else Path(region),
        pages=pages,
        skip_bad=skip_bad,
        max_pixels=max_pixels,
    )
    with source.opened() as (seen, where):
        return segment_scene(
            seen,
            lambda: fit(seen, where),
            Path(out),
            method=method,
            options=options,
            seed=seed,
            region=where,
            probabilities=probabilities,
            form=_form(form, path),
            identity={"skip_bad": skip_bad, "pages": pages, **(identity or {})},
            progress=progress,
            tell=tell,
            elsewhere=None if spread is None else spread(source),
        )


def _form(asked: Form, path: Path) -> Literal["tiff", "zarr"]:
    if asked not in FORMS:
        raise UsageError(f"form is {asked!r}: {nearest(str(asked), FORMS)}")
    if asked == "auto":
        return "zarr" if path.is_dir() else "tiff"
    return asked
